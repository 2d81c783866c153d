# Puts certificates and daemon.json in place on a Windows host, restarts the engine's service, and puts everything back
# unless somebody confirms in time. It is sent over WinRM, and kept beside what it changes so that the host can put
# itself back alone. Windows PowerShell 5.1, as an administrator.
#
# -Step inspect | install | confirm | rollback | state     -Words: arguments     -Data: lines of name, mode, base64
# Prints lines: a word and its value. Nothing secret is ever an argument or printed.
param([string]$Step = 'rollback', [string[]]$Words = @(), [string]$Data = '')

$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
$place = "$env:ProgramData\docker\tls"
$work = "$place\.work"
$task = 'docker-host-auditor-rollback'
# SYSTEM and the administrators, nobody else, nothing inherited; of files below, the same.
$closed = 'O:BAG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)'
$allowed = 'S-1-5-18', 'S-1-5-32-544'

function plain([string]$text) { ($text -replace '\s+', ' ') -replace '[^ -~]', '?' }
function packed([byte[]]$bytes) { [Convert]::ToBase64String($bytes) }
function utf8([string]$text) { , (New-Object System.Text.UTF8Encoding($false)).GetBytes($text) }
function there([string]$path) { Test-Path -LiteralPath $path }
function drop([string]$path) { if (there $path) { Remove-Item -LiteralPath $path -Recurse -Force } }

# The services whose program is dockerd, whatever they are called.
function engines {
    Get-CimInstance -ClassName Win32_Service | Where-Object { $_.PathName -match '(^|[\\"])dockerd(\.exe)?("|\s|$)' }
}

# The daemon's configuration file, which its flags decide.
function config-file([string]$line) {
    if ($line -match '(?:^|\s)--config-file[= ]+("[^"]+"|\S+)') { return $Matches[1].Trim('"') }
    $root = "$env:ProgramData\docker"
    if ($line -match '(?:^|\s)(?:--data-root|--graph|-g)[= ]+("[^"]+"|\S+)') { $root = $Matches[1].Trim('"') }
    "$root\config\daemon.json"
}
function program([string]$line) { $null = $line -match '^\s*("[^"]+"|\S+)'; $Matches[1].Trim('"') }

function step-inspect {
    $found = @(engines)
    if ($found.Count -ne 1) { throw "the host has $($found.Count) services that run dockerd, and we change hosts that have one" }
    "service $(packed (utf8 $found[0].Name))"
    "image $(packed (utf8 $found[0].PathName))"
    $config = config-file $found[0].PathName
    "path $(packed (utf8 $config))"
    if (there $config) { "config $(packed ([System.IO.File]::ReadAllBytes($config)))" }
    $program = program $found[0].PathName
    if (there $program) { "version $(packed (utf8 (Get-Item -LiteralPath $program).VersionInfo.ProductVersion))" }
    "root $(packed (utf8 $place))"
    'end'
}

# A folder that is closed from its first moment on; one that was there is closed now.
function make-closed([string]$path) {
    $security = New-Object System.Security.AccessControl.DirectorySecurity
    $security.SetSecurityDescriptorSddlForm($closed)
    if (there $path) {
        if ((Get-Item -LiteralPath $path -Force).Attributes -match 'ReparsePoint') { throw "$path leads elsewhere" }
        [System.IO.Directory]::SetAccessControl($path, $security)
    } else {
        $null = [System.IO.Directory]::CreateDirectory($path, $security)
    }
}
function need-closed([string]$path) {
    $rules = [System.IO.File]::GetAccessControl($path).GetAccessRules($true, $true, [System.Security.Principal.SecurityIdentifier])
    $others = @($rules | Where-Object { $allowed -notcontains $_.IdentityReference.Value })
    if ($others) { throw "others than SYSTEM and the administrators have rights on $path" }
}

# A file in the place of another, whose rights stay; in one step, so that half a file is never there.
function put([byte[]]$bytes, [string]$path) {
    $null = [System.IO.Directory]::CreateDirectory([System.IO.Path]::GetDirectoryName($path))
    [System.IO.File]::WriteAllBytes("$path.new", $bytes)
    if (there $path) {
        [System.IO.File]::Replace("$path.new", $path, [NullString]::Value)
    } else {
        [System.IO.File]::Move("$path.new", $path)
    }
}

# Two triggers, so that a host that restarts before the proof puts itself back too.
function arm([int]$seconds) {
    $command = "& ([ScriptBlock]::Create([System.IO.File]::ReadAllText('$work\install.ps1')))"
    $encoded = packed ([System.Text.Encoding]::Unicode.GetBytes($command))
    $action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument "-NoProfile -NonInteractive -EncodedCommand $encoded"
    $triggers = (New-ScheduledTaskTrigger -Once -At (Get-Date).AddSeconds($seconds)), (New-ScheduledTaskTrigger -AtStartup)
    $principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
    $settings = New-ScheduledTaskSettingsSet -StartWhenAvailable -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
    $null = Register-ScheduledTask -TaskName $task -Action $action -Trigger $triggers -Principal $principal -Settings $settings -Force
    if ((Get-ScheduledTask -TaskName $task).State -ne 'Ready') { throw 'the scheduled task that would put everything back is not ready' }
}
function disarm { Get-ScheduledTask | Where-Object { $_.TaskName -eq $task } | Unregister-ScheduledTask -Confirm:$false }

function validate([string]$program, [string]$config) {
    $ErrorActionPreference = 'Continue'
    $said = & $program --validate --config-file $config 2>&1
    if ($LASTEXITCODE -ne 0) { throw "dockerd --validate: $($said | Select-Object -Last 1)" }
}

# Words: folder of the new certificates, daemon.json's path, the service, seconds to confirm, whether to validate
function step-install {
    $new, $config, $service, $seconds, $validates = $Words
    if ((there "$work\armed") -or (there "$work\rolling")) {
        'state busy'
        "reason another installation waits for its proof; it ends by itself ($task in the Task Scheduler)"
        return
    }
    try {
        make-closed $place
        drop $work
        make-closed $work
        $whole = $false
        foreach ($line in $Data.Split("`n")) {
            $name, $mode, $content = $line.Split(' ')
            if ($name -eq 'end') { $whole = $true; break }
            [System.IO.File]::WriteAllBytes("$work\$name", [Convert]::FromBase64String($content))
        }
        if (-not $whole) { throw 'the connection ended before all was here' }
        $before = $(if (there "$work\before") { packed ([System.IO.File]::ReadAllBytes("$work\before")) })
        $present = $(if (there $config) { packed ([System.IO.File]::ReadAllBytes($config)) })
        if ($before -cne $present) { throw "$config has changed since the plan was made" }
        make-closed $new
        foreach ($name in 'ca.pem', 'server-cert.pem', 'server-key.pem') {
            # Written anew, since a file that is moved keeps the rights it had.
            [System.IO.File]::WriteAllBytes("$new\$name", [System.IO.File]::ReadAllBytes("$work\$name"))
            need-closed "$new\$name"
        }
        drop "$work\server-key.pem"
        if ($validates -eq 'yes') { validate (program @(engines)[0].PathName) "$work\daemon.json" }
        $null = [System.IO.Directory]::CreateDirectory("$work\backup")
        if (there $config) {
            [System.IO.File]::WriteAllBytes("$work\backup\daemon.json", [System.IO.File]::ReadAllBytes($config))
        } else {
            [System.IO.File]::WriteAllText("$work\backup\daemon.json.absent", '')
        }
        [System.IO.File]::WriteAllBytes("$work\settings", (utf8 "$config`n$service`n$new"))
        arm $seconds
        [System.IO.File]::WriteAllText("$work\armed", '')
    } catch {
        $why = $_.Exception.Message
        try { disarm; drop $new; drop $work } catch { $why = "$why; and cleaning up: $($_.Exception.Message)" }
        'state old'
        "reason $(plain $why)"
        return
    }
    try {
        put ([System.IO.File]::ReadAllBytes("$work\daemon.json")) $config
        restart $service
        'state unconfirmed'
    } catch {
        put-back $_.Exception.Message
    }
}

function restart([string]$service) {
    $since = Get-Date
    try {
        Restart-Service -Name $service
    } catch {
        $said = $_.Exception.Message
        try { $said = (Get-WinEvent -FilterHashtable @{ LogName = 'Application'; ProviderName = 'docker'; Level = 1, 2; StartTime = $since } -MaxEvents 1).Message } catch { $null = $_ }
        throw "the daemon does not start: $said"
    }
    if ((Get-Service -Name $service).Status -ne 'Running') { throw "the service $service does not run" }
}

# Whoever takes 'armed' away first decides. The task goes on with what a restart of the host cut off.
function put-back([string]$why) {
    try {
        [System.IO.File]::Move("$work\armed", "$work\rolling")
    } catch {
        if ($why -or -not (there "$work\rolling")) { step-state; return }
    }
    if (-not $why) { $why = 'nobody confirmed the new state in time, or the host was restarted before the proof' }
    $config, $service, $new = [System.IO.File]::ReadAllText("$work\settings").Split("`n")
    if (there "$work\backup\daemon.json") { put ([System.IO.File]::ReadAllBytes("$work\backup\daemon.json")) $config }
    if (there "$work\backup\daemon.json.absent") { drop $config }
    $daemon = 'runs as before'
    try { restart $service } catch { $daemon = "does not run: $($_.Exception.Message)" }
    drop $new
    [System.IO.File]::WriteAllText("$place\last", "state old`r`nreason $(plain $why)`r`ndaemon $(plain $daemon)`r`n")
    last
    drop $work
    disarm
}
function last { if (there "$place\last") { [System.IO.File]::ReadAllText("$place\last").TrimEnd() } else { 'state old' } }

function step-rollback { put-back "$Words" }

function step-confirm {
    try { [System.IO.File]::Move("$work\armed", "$work\confirmed") } catch { step-state; return }
    disarm
    $null, $null, $new = [System.IO.File]::ReadAllText("$work\settings").Split("`n")
    drop "$place\backup"
    [System.IO.Directory]::Move("$work\backup", "$place\backup")
    Get-ChildItem -LiteralPath $place -Directory -Filter 'auditor-*' | Where-Object { $_.FullName -ne $new } | ForEach-Object { drop $_.FullName }
    [System.IO.File]::WriteAllText("$place\last", "state new`r`nfolder $new`r`n")
    last
    drop $work
}

function step-state {
    if (there "$work\armed") { 'state unconfirmed' } elseif (there "$work\rolling") { 'state rolling' } elseif (there "$work\confirmed") { 'state new'; "folder $([System.IO.File]::ReadAllText("$work\settings").Split("`n")[2])" } else { last }
}

try { & "step-$Step" } catch { "problem $(plain $_.Exception.Message)" }
