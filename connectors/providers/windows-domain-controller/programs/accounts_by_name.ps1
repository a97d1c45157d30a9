# Finds people's accounts by their account name.
# needs: Read on accounts
param(
    [Parameter(Mandatory)] [string] $Base,
    [Parameter(Mandatory)] [string] $Name
)
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

Get-ADUser -SearchBase $Base -Filter { SamAccountName -eq $Name } -Properties mail, primaryGroupID | ForEach-Object {
    [ordered]@{
        guid    = $_.ObjectGUID.ToString()
        dn      = $_.DistinguishedName
        name    = $_.SamAccountName
        sign_in = [string] $_.UserPrincipalName
        mail    = [string] $_.mail
        primary = "$($_.SID.AccountDomainSid)-$($_.primaryGroupID)"
        enabled = $_.Enabled
    } | ConvertTo-Json -Compress
}
