# Asks the controller what it is, what time it has, and which groups our own account is in.
param()
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

$root = Get-ADRootDSE
$feature = Get-ADOptionalFeature -Filter { Name -eq 'Privileged Access Management Feature' }
[ordered]@{
    naming     = $root.defaultNamingContext
    domain     = (Get-ADDomain).DNSRoot
    controller = $root.dnsHostName
    now        = [DateTimeOffset]::UtcNow.ToUnixTimeMilliseconds() / 1000
    ends       = ($null -ne $feature) -and (@($feature.EnabledScopes | Where-Object { $_ }).Count -gt 0)
    own_groups = @([Security.Principal.WindowsIdentity]::GetCurrent().Groups | ForEach-Object { $_.Value })
} | ConvertTo-Json -Compress
