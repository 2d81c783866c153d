    # Put into a copy of windows.ps1 by the test: what only Windows has. Functions win over cmdlets.
    function Get-WindowsFeature {
        [pscustomobject]@{ Name = 'Containers'; Installed = $true }
        [pscustomobject]@{ Name = 'Web-Server'; Installed = $false }
    }
    function Get-WinEvent([string]$ListLog) {
        [pscustomobject]@{ IsEnabled = $true; MaximumSizeInBytes = 20971520; LogMode = 0 }
    }
