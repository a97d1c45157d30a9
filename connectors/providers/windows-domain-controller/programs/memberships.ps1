# Lists the groups that an account is a direct member of, and its primary group, which is not among them.
# needs: Read on groups
param(
    [Parameter(Mandatory)] [string] $Base,
    [Parameter(Mandatory)] [string] $Account,
    [Parameter(Mandatory)] [string] $Primary
)
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

@(Get-ADGroup -SearchBase $Base -Filter { Members -eq $Account }) + @(Get-ADGroup -Identity $Primary) | ForEach-Object {
    [ordered]@{ guid = $_.ObjectGUID.ToString() } | ConvertTo-Json -Compress
}
