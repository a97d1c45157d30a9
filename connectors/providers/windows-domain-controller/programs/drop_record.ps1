# Deletes the record of a membership that is proved to be gone.
# needs: Delete Container Objects in the container of records
param(
    [Parameter(Mandatory)] [string] $Records,
    [Parameter(Mandatory)] [string] $Name
)
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

Get-ADObject -SearchBase $Records -SearchScope OneLevel -Filter { Name -eq $Name } | Remove-ADObject -Confirm:$false
