# Looks whether we may keep records in the container.
# needs: Read on the container of records
param(
    [Parameter(Mandatory)] [string] $Records
)
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

Get-ADObject -Identity $Records -Properties allowedChildClassesEffective | ForEach-Object {
    [ordered]@{ may_create = @($_.allowedChildClassesEffective) -contains 'container' } | ConvertTo-Json -Compress
}
