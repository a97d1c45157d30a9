# Writes down until when the directory keeps a membership of ours.
# needs: Write All Properties on containers in the container of records
param(
    [Parameter(Mandatory)] [string] $Records,
    [Parameter(Mandatory)] [string] $Name,
    [Parameter(Mandatory)] [string] $Facts
)
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

Get-ADObject -SearchBase $Records -SearchScope OneLevel -Filter { Name -eq $Name } |
    Set-ADObject -Replace @{ adminDescription = $Facts }
