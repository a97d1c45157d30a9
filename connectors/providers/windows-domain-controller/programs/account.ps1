# Reads one account, wherever it was moved; says nothing where it is gone.
# needs: Read on accounts
param(
    [Parameter(Mandatory)] [guid] $Account
)
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

Get-ADUser -Filter { ObjectGUID -eq $Account } -Properties mail, primaryGroupID | ForEach-Object {
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
