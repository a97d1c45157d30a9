# Reads our records about one person.
# needs: Read on the container of records
param(
    [Parameter(Mandatory)] [string] $Records,
    [Parameter(Mandatory)] [string] $Marker
)
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

Get-ADObject -SearchBase $Records -SearchScope OneLevel -Filter { Description -eq $Marker } `
    -Properties description, adminDescription | ForEach-Object {
    [ordered]@{ name = $_.Name; markers = @($_.description); facts = [string] $_.adminDescription } | ConvertTo-Json -Compress
}
