# Makes what the connector needs in a domain: its account, its container of records, and the right to write the members
# of chosen groups and of no others. Run it on a domain controller, or where the RSAT tools are, as a domain admin:
#
#   .\1_windows.ps1 -Places 'OU=Shop,DC=example,DC=com', 'CN=Payroll,OU=Groups,DC=example,DC=com'
#
# Each place is a group, or a unit: then all groups that are in it now and later. It may be run again. The account is
# made without a password that anybody knows: at its end the script asks for a new one.
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string[]] $Places,
    [string] $Account = 'latchkey',
    [string] $Records = ''
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module ActiveDirectory

$domain = Get-ADDomain
if (-not $Records) { $Records = "CN=Latchkey,$($domain.DistinguishedName)" }
$trustee = "$($domain.NetBIOSName)\$Account"

function Grant-Right {
    param([string] $Object, [string[]] $Arguments)
    & dsacls.exe $Object @Arguments | Out-Null
    if ($LASTEXITCODE -ne 0) { throw "dsacls failed for $Object" }
}

if (-not (Get-ADUser -Filter { SamAccountName -eq $Account })) {
    New-ADUser -Name $Account -SamAccountName $Account -UserPrincipalName "$Account@$($domain.DNSRoot)" `
        -Description 'The connector of Latchkey: puts people into groups for a time' -CannotChangePassword $true
}

if (-not (Get-ADObject -LDAPFilter '(objectClass=*)' -SearchBase $Records -SearchScope Base -ErrorAction SilentlyContinue)) {
    $name, $parent = $Records -split ',', 2
    New-ADObject -Type container -Name ($name -replace '^CN=') -Path $parent -Description 'What Latchkey gave to whom'
}
# Create and delete containers in it, and write their properties; nothing else below it, and nothing of itself.
Grant-Right $Records '/I:T', '/G', "${trustee}:CCDC;container"
Grant-Right $Records '/I:S', '/G', "${trustee}:RPWP;;container"

foreach ($place in $Places) {
    if ((Get-ADObject -Identity $place).ObjectClass -eq 'group') {
        Grant-Right $place '/G', "${trustee}:WP;member"
    }
    else {
        Grant-Right $place '/I:S', '/G', "${trustee}:WP;member;group"
    }
}

Set-ADAccountPassword -Identity $Account -Reset -NewPassword (Read-Host -AsSecureString "New password of $Account")
Enable-ADAccount -Identity $Account
