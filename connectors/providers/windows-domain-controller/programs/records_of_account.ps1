# Reads the records about one account, whoever it belongs to and whichever integration wrote them.
# needs: Read on the container of records
param(
    [Parameter(Mandatory)] [string] $Records,
    [Parameter(Mandatory)] [string] $Account
)
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

Get-ADObject -SearchBase $Records -SearchScope OneLevel -Filter { DisplayName -eq $Account } `
    -Properties description, adminDescription | ForEach-Object {
    [ordered]@{ name = $_.Name; markers = @($_.description); facts = [string] $_.adminDescription } | ConvertTo-Json -Compress
}
