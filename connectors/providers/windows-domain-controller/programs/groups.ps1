# Lists groups, and whether we may write their members.
# needs: Read on groups
param(
    [Parameter(Mandatory)] [string] $Base
)
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

Get-ADGroup -SearchBase $Base -Filter * -ResultPageSize 500 `
    -Properties Description, groupType, adminCount, allowedAttributesEffective | ForEach-Object {
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
