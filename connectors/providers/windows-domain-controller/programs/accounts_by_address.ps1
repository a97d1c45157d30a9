# Finds people's accounts by an e-mail address or a sign-in name.
# needs: Read on accounts
param(
    [Parameter(Mandatory)] [string] $Base,
    [Parameter(Mandatory)] [string] $Address
)
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

Get-ADUser -SearchBase $Base -Filter { UserPrincipalName -eq $Address -or mail -eq $Address } `
    -Properties mail, primaryGroupID | ForEach-Object {
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
