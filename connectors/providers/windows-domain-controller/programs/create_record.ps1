# Writes down, before it is given, which membership is ours: a link has no room for a mark of its own.
# needs: Create Container Objects in the container of records
param(
    [Parameter(Mandatory)] [string] $Records,
    [Parameter(Mandatory)] [string] $Name,
    [Parameter(Mandatory)] [string] $Marker,
    [Parameter(Mandatory)] [string] $Account,
    [Parameter(Mandatory)] [string] $Facts
)
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

New-ADObject -Type container -Path $Records -Name $Name -Description $Marker -DisplayName $Account `
    -OtherAttributes @{ adminDescription = $Facts }
