# Reads one group, wherever it was moved; says nothing where it is gone.
# needs: Read on groups
param(
    [Parameter(Mandatory)] [guid] $Group
)
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

Get-ADGroup -Filter { ObjectGUID -eq $Group } -Properties Description, groupType, adminCount, allowedAttributesEffective | ForEach-Object {
    [ordered]@{
        guid        = $_.ObjectGUID.ToString()
        dn          = $_.DistinguishedName
        name        = $_.Name
        description = [string] $_.Description
        kind        = $_.groupType
        protected   = $_.adminCount -eq 1
        writable    = @($_.allowedAttributesEffective) -contains 'member'
    } | ConvertTo-Json -Compress
}
