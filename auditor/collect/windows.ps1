# docker-host-auditor: the collector for Windows hosts. Read it before you run it; it is meant to be read.
#
# It reads and prints. It writes no file and no registry value, installs nothing, starts no container, enters no
# container, and prints no private key and no value of a container's environment. Passwords in what it reads are
# blanked here, before anything leaves the host. Each section below tells what it reads and why.
#
# By hand:  powershell -NoProfile -ExecutionPolicy RemoteSigned -File windows.ps1 > web1.bundle
#           (then, elsewhere: auditor evaluate web1.bundle)
# Usage:    windows.ps1 [-Sections NAME,NAME...] [-Seconds N] [-Plain]
#           no -Sections: all; -Seconds: longest time for everything; -Plain: print the reply to read it, not packed.
#
# Windows PowerShell 5.1, run as an administrator. What it prints is packed (gzip, base64, SHA-256), so that no code
# page, line width or redirection can change it; inside are the sections in the form that linux.sh prints.
param([string[]]$Sections = @(), [int]$Seconds = 100, [switch]$Plain)

if ("$($ExecutionContext.SessionState.LanguageMode)" -ne 'FullLanguage') {
    "docker-host-auditor language $($ExecutionContext.SessionState.LanguageMode)"
    return
}

# Everything in these braces runs beside the main thread, so that a host that hangs somewhere still answers.
$collector = {
    param([string[]]$Asked, [hashtable]$Found)
    $ErrorActionPreference = 'Stop'
    $ProgressPreference = 'SilentlyContinue'
    $WarningPreference = 'SilentlyContinue'
    # Calendars, separators and letters that differ by country must not reach dates, numbers and patterns.
    [System.Threading.Thread]::CurrentThread.CurrentCulture = [System.Globalization.CultureInfo]::InvariantCulture

    # Longest time for one program, in seconds, and largest reply of one section, in characters.
    $SecondsEach = 30
    $CharactersEach = 33554432
    # Exit statuses that the auditor understands: there is no such thing here; not allowed to look; timed out; cut off.
    $ABSENT = 66
    $DENIED = 77
    $TIMEOUT = 124
    $TRUNCATED = 141

    # ---- sections: one function each, named section-NAME; JSON unless it says lines -------------------------------

    # The machine, in lines: build, edition, date, who runs this and with which rights.
    function section-host {
        $version = registry-values 'SOFTWARE\Microsoft\Windows NT\CurrentVersion'
        $build = "10.0.$($version.CurrentBuildNumber).$($version.UBR)"
        "kernel=$build"
        "machine=$env:PROCESSOR_ARCHITECTURE"
        "hostname=$env:COMPUTERNAME"
        "date=$([DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ'))"
        "elevated=$elevated"
        "sid=$([System.Security.Principal.WindowsIdentity]::GetCurrent().User.Value)"
        "powershell=$($PSVersionTable.PSVersion)"
        "bits=$([IntPtr]::Size * 8)"
        'os.ID=windows'
        "os.VERSION_ID=$build"
        "os.PRETTY_NAME=$($version.ProductName) $($version.DisplayVersion)"
    }

    # Windows itself: build and revision (not what the engine says, which has no revision), edition, domain, reboots due.
    function section-windows-host {
        $version = registry-values 'SOFTWARE\Microsoft\Windows NT\CurrentVersion'
        $computer = Get-CimInstance -ClassName Win32_ComputerSystem -OperationTimeoutSec $SecondsEach
        $servicing = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion'
        to-json ([ordered]@{
                build = [int]$version.CurrentBuildNumber; revision = [int]$version.UBR
                edition = $version.EditionID; installation = $version.InstallationType; product = $version.ProductName
                release = "$($version.DisplayVersion)"; release_id = "$($version.ReleaseId)"
                computer = $computer.Name; in_domain = [bool]$computer.PartOfDomain; domain = $computer.Domain
                system_drive = $env:SystemDrive; culture = [System.Globalization.CultureInfo]::InstalledUICulture.Name
                elevated = $elevated
                reboot_pending = @(
                    Test-Path -LiteralPath "$servicing\Component Based Servicing\RebootPending"
                    Test-Path -LiteralPath "$servicing\WindowsUpdate\Auto Update\RebootRequired"
                ) -contains $true
            })
    }

    # The engine's and the client's version.
    function section-engine-version {
        ask-engine 'version', '--format', '{{json .}}'
    }

    # What the engine says of itself.
    function section-engine-info {
        redact (ask-engine 'info', '--format', '{{json .}}')
    }

    # The engine's process or, where it is stopped, its service, in lines as linux.sh prints them: command line, and of
    # the environment the variables that configure it.
    function section-daemon {
        need-engine
        if (-not $engine.Arguments) { stop-with $(if ($elevated) { 1 } else { $DENIED }) 'the process that answers on the pipe is not to be seen' }
        "socket $($engine.Pipe)"
        "pid $($engine.Pid) $($engine.FoundBy)"
        "exe $($engine.Executable)"
        'cwd C:\Windows\System32'
        "started $($engine.Started)"
        "unit $($engine.Service)"
        $engine.Arguments | ForEach-Object { "argument $(redact $_)" }
        'environment readable'
        environment | Where-Object { $null -ne $_.value } | ForEach-Object { "variable $($_.name)=$($_.value)" }
    }

    # The daemon's configuration file, passwords blanked: its path on one line, its text on the next.
    function section-daemon-config {
        need-engine
        $engine.ConfigFile
        if (-not (Test-Path -LiteralPath $engine.ConfigFile)) { stop-with $ABSENT $engine.ConfigFile }
        (decoded (content $engine.ConfigFile)).Text -replace '\r?\n', ' '
    }

    # The same file as bytes, because an engine may stumble over its encoding: base64, after passwords were blanked.
    function section-windows-daemon-config {
        need-engine
        if (-not (Test-Path -LiteralPath $engine.ConfigFile)) { stop-with $ABSENT $engine.ConfigFile }
        $read = decoded (content $engine.ConfigFile)
        $bytes = [byte[]]($read.Preamble + $read.Encoding.GetBytes($read.Text))
        to-json ([ordered]@{
                path = $engine.ConfigFile; encoding = $read.Encoding.WebName; preamble = $read.Preamble.Length
                base64 = [Convert]::ToBase64String($bytes)
            })
    }

    # The services that run an engine or containerd: command line, account, start, rights on service and key, environment.
    function section-windows-service {
        $services = @(foreach ($service in $engine.Services) {
            $key = "SYSTEM\CurrentControlSet\Services\$($service.Name)"
            $values = registry-values $key
            $failure = $null
            if ($values.FailureActions) { $failure = [Convert]::ToBase64String([byte[]]$values.FailureActions) }
            [ordered]@{
                name = $service.Name; path = (redact $service.PathName); start = $service.StartMode; state = $service.State
                account = $service.StartName; pid = [int]$service.ProcessId; failure_actions = $failure
                key_sddl = (sddl "HKLM:\$key"); service_sddl = (service-sddl $service.Name)
                event_source = (Test-Path -LiteralPath "HKLM:\SYSTEM\CurrentControlSet\Services\EventLog\Application\$($service.Name)")
            }
        })
        $processes = @(foreach ($process in $engine.Processes) {
            [ordered]@{ pid = [int]$process.ProcessId; parent = [int]$process.ParentProcessId; path = $process.ExecutablePath }
        })
        if (-not ($services -or $processes)) { stop-with $ABSENT 'no service and no process runs an engine' }
        to-json ([ordered]@{
                engine = $engine.Service; services = @($services); processes = @($processes)
                environment = @(environment); executable = (executable $engine.Executable)
            })
    }

    # For Go templates: the name of each NAME=VALUE whose value could be worth hiding.
    $namesWithValue = '{{$n := index (split . "=") 0}}{{$k := lower $n}}{{if not (eq (lower .) $k (print $k "=") (print $k "=true") ' +
        '(print $k "=false") (print $k "=yes") (print $k "=no") (print $k "=on") (print $k "=off") (print $k "=none") (print $k "=0") (print $k "=1"))}}{{json $n}},{{end}}'

    # Every container, running or not. Of its environment only the names of variables that have a value other than true or
    # false; of its arguments only whether a word is 'sshd'.
    function section-containers {
        $listed = @(ask-engine 'ps', '--all', '--quiet', '--no-trunc' | words)
        if (-not $listed) { return }
        $listed | ForEach-Object { "listed $_" }
        $inspected = @(inspect 'container' $listed $containerTemplate)
        $inspected
        if (@(($inspected -join "`n").Split("`n") | Where-Object { $_ -like '{*' }).Count -eq $listed.Count) { return }
        # A container that went away meanwhile is no gap.
        $still = @(ask-engine 'ps', '--all', '--quiet', '--no-trunc' | words)
        $listed | Where-Object { $still -notcontains $_ } | ForEach-Object { "gone $_" }
    }
    # Go's names, not JSON's (.ID, not .Id): with those the client leaves out no field that is empty.
    $containerTemplate = '{"Id":{{json .ID}},"Name":{{json .Name}},"Created":{{json .Created}},"Image":{{json .Image}},"Path":{{json .Path}},' +
        '"Sshd":[{{range .Args}}{{range split . " "}}{{range split . "/"}}{{if eq . "sshd"}}true,{{end}}{{end}}{{end}}{{end}}false],' +
        '"Status":{{json .State.Status}},"Pid":{{json .State.Pid}},"ExecIDs":{{json .ExecIDs}},"AppArmorProfile":{{json .AppArmorProfile}},' +
        '"ProcessLabel":{{json .ProcessLabel}},"Mounts":{{json .Mounts}},"HostConfig":{{json .HostConfig}},"Platform":{{json .Platform}},' +
        '"Config":{"Image":{{json .Config.Image}},"User":{{json .Config.User}},"Healthcheck":{{json .Config.Healthcheck}},"ExposedPorts":{{json .Config.ExposedPorts}},' +
        '"Hostname":{{json .Config.Hostname}},"Labels":{{json .Config.Labels}},' +
        '"Env":[{{range .Config.Env}}' + $namesWithValue + '{{end}}""],' +
        '"Service":{{json (index .Config.Labels "com.docker.swarm.service.name")}}},' +
        '"NetworkSettings":{"Ports":{{json .NetworkSettings.Ports}},"Networks":{{json .NetworkSettings.Networks}}}}'

    # Images: names, digests, version of Windows inside, layers, labels; of the environment only names, as above.
    function section-images {
        $listed = image-ids
        if ($listed) { inspect 'image' $listed $imageTemplate }
    }
    $imageTemplate = '{"Id":{{json .ID}},"RepoTags":{{json .RepoTags}},"RepoDigests":{{json .RepoDigests}},"Created":{{json .Created}},"Os":{{json .Os}},' +
        '"OsVersion":{{json .OsVersion}},"Size":{{json .Size}},"Layers":{{json .RootFS.Layers}},' +
        '"User":{{with .Config}}{{json .User}}{{else}}null{{end}},"Healthcheck":{{with .Config}}{{json .Healthcheck}}{{else}}null{{end}},' +
        '"Labels":{{with .Config}}{{json .Labels}}{{else}}null{{end}},"Entrypoint":{{with .Config}}{{json .Entrypoint}}{{else}}null{{end}},' +
        '"Env":[{{with .Config}}{{range .Env}}' + $namesWithValue + '{{end}}{{end}}""]}'

    # How images were built. Nothing that was typed there leaves the host: of each step, newest first, its keyword, its words
    # as far as they are on a list of commands and features ('_' for others), names of secrets, never a value, and bytes.
    function section-windows-image-history {
        $listed = @(image-ids | Select-Object -First 100)
        $listed | ForEach-Object { "listed $_" }
        foreach ($id in $listed) {
            try {
                $steps = ask-engine 'history', '--no-trunc', '--human=false', '--format', '{{json .}}', $id -Lenient
            } catch {
                if ($script:mute -or $script:status -eq $TIMEOUT) { throw }
                $script:status = 0
                continue
            }
            "image $id"
            foreach ($line in $steps.Split("`n")) {
                if (-not $line.Trim()) { continue }
                $step = ConvertFrom-Json $line
                (reduced-step "$($step.CreatedBy)") + "`t" + [regex]::Match("$($step.Size)", '^[0-9]*').Value
            }
        }
    }

    # Networks: driver, scope and options.
    function section-networks {
        $listed = @(ask-engine 'network', 'ls', '--quiet', '--no-trunc' | words)
        if (-not $listed) { return }
        inspect 'network' $listed ('{"Id":{{json .ID}},"Name":{{json .Name}},"Driver":{{json .Driver}},"Scope":{{json .Scope}},' +
            '"Internal":{{json .Internal}},"Ingress":{{json .Ingress}},"Options":{{json .Options}}}')
    }

    # TCP ports that are listened on, and the process that does.
    function section-windows-listeners {
        $listeners = @(foreach ($it in Get-NetTCPConnection -State Listen -ErrorAction SilentlyContinue) {
            [ordered]@{ address = $it.LocalAddress; port = [int]$it.LocalPort; pid = [int]$it.OwningProcess }
        })
        to-json ([ordered]@{ engine = @($engine.Processes | ForEach-Object { [int]$_.ProcessId }); listeners = @($listeners) })
    }

    # Owner and rights (SDDL) of the files, folders and registry keys that decide who controls the engine; of the most
    # important also what of their use is audited.
    function section-windows-acl {
        need-engine
        $root = $engine.DataRoot
        $programs = @($engine.Executable) + @($engine.Services | ForEach-Object { @(split-line $_.PathName)[0] }) | Where-Object { $_ } | Sort-Object -Unique
        $entries = @(
            $programs | ForEach-Object { rights 'executable' $_ -Audit }
            $programs | ForEach-Object { rights 'executable-folder' (parent $_) }
            rights 'data-root' $root
            'config', 'volumes', 'containers' | ForEach-Object { rights "$_-folder" "$root\$_" }
            rights 'config-file' $engine.ConfigFile -Audit
            rights 'config-file-folder' (parent $engine.ConfigFile)
            rights 'tls-ca' $engine.CaFile
            rights 'tls-cert' $engine.CertFile
            rights 'tls-key' $engine.KeyFile
            @(parent $engine.CaFile; parent $engine.CertFile; parent $engine.KeyFile) | Select-Object -Unique | ForEach-Object { rights 'tls-folder' $_ }
            rights 'program-data' "$env:ProgramData\docker"
            rights 'registry-certs' $registryCertificates -Audit
            children $registryCertificates | ForEach-Object { rights 'registry-cert' $_.FullName }
            rights 'credential-specs' "$root\CredentialSpecs" -Audit
            children "$root\CredentialSpecs" | ForEach-Object { rights 'credential-spec' $_.FullName }
            rights 'credential-spec-key' $credentialSpecKey
            if ($engine.Service) { rights 'service-key' "HKLM:\SYSTEM\CurrentControlSet\Services\$($engine.Service)" -Audit }
            rights 'desktop-version-bin' "$env:ProgramData\DockerDesktop\version-bin"
        )
        to-json @($entries)
    }

    # The engine's named pipes, whatever they are called, and others called after it or containerd; and who may use them.
    function section-windows-pipes {
        $pipes = @(foreach ($path in (pipe-paths)) {
            $own = $engine.Pipes -contains $path
            if (-not $own -and $path -notmatch 'docker|containerd') { continue }
            $entry = [ordered]@{ path = $path; configured = $own; sddl = $null; error = $null }
            try {
                $entry.sddl = [System.IO.Directory]::GetAccessControl($path).GetSecurityDescriptorSddlForm('Access, Owner, Group')
            } catch {
                $entry.error = reason $_
            }
            $entry
        })
        to-json @($pipes)
    }

    # Who may use the engine: the groups and users it is told of, docker-users, the administrators, and their members.
    function section-windows-groups {
        $administrators = (New-Object System.Security.Principal.SecurityIdentifier('S-1-5-32-544')).Translate([System.Security.Principal.NTAccount]).Value
        $names = @($engine.Groups) + @('docker-users', $administrators.Split('\')[-1]) | Where-Object { $_ } | Select-Object -Unique
        $groups = @(foreach ($name in $names) {
            $entry = [ordered]@{ name = $name; configured = ($engine.Groups -contains $name); sid = $null; members = $null; error = $null }
            try {
                $entry.sid = (New-Object System.Security.Principal.NTAccount($name)).Translate([System.Security.Principal.SecurityIdentifier]).Value
                $entry.members = @(members $name)
            } catch {
                $entry.error = reason $_
            }
            $entry
        })
        to-json @($groups)
    }

    # Disks: file system and room; whether BitLocker protects them.
    function section-windows-volumes {
        $locked = @{}
        $problem = $null
        $code = $null
        try {
            Get-CimInstance -Namespace 'root/cimv2/Security/MicrosoftVolumeEncryption' -ClassName Win32_EncryptableVolume -OperationTimeoutSec $SecondsEach |
                ForEach-Object { if ($_.DriveLetter) { $locked[$_.DriveLetter] = [int]$_.ProtectionStatus } }
        } catch {
            $problem = reason $_
            # The name of CIM's own error, the same in every language: InvalidNamespace where BitLocker is not installed.
            $code = "$($_.Exception.NativeErrorCode)"
        }
        $volumes = @(foreach ($disk in Get-CimInstance -ClassName Win32_LogicalDisk -Filter 'DriveType=3' -OperationTimeoutSec $SecondsEach) {
            [ordered]@{
                drive = $disk.DeviceID; file_system = $disk.FileSystem; size = [long]$disk.Size; free = [long]$disk.FreeSpace
                protection = $locked[$disk.DeviceID]
            }
        })
        to-json ([ordered]@{
                system_drive = $env:SystemDrive; data_root = $engine.DataRoot; volumes = @($volumes); bitlocker_error = $problem; bitlocker_code = $code
            })
    }

    # The firewall: profiles, and every inbound rule that is in force.
    function section-windows-firewall {
        $profiles = @(foreach ($it in Get-NetFirewallProfile -PolicyStore ActiveStore) {
            [ordered]@{ name = $it.Name; enabled = [int]$it.Enabled; inbound = [int]$it.DefaultInboundAction }
        })
        $ports = @{}
        Get-NetFirewallPortFilter -PolicyStore ActiveStore | ForEach-Object { $ports[$_.InstanceID] = $_ }
        $addresses = @{}
        Get-NetFirewallAddressFilter -PolicyStore ActiveStore | ForEach-Object { $addresses[$_.InstanceID] = $_ }
        $programs = @{}
        Get-NetFirewallApplicationFilter -PolicyStore ActiveStore | ForEach-Object { $programs[$_.InstanceID] = $_ }
        $services = @{}
        Get-NetFirewallServiceFilter -PolicyStore ActiveStore | ForEach-Object { $services[$_.InstanceID] = $_ }
        $interfaces = @{}
        Get-NetFirewallInterfaceFilter -PolicyStore ActiveStore | ForEach-Object { $interfaces[$_.InstanceID] = @($_.InterfaceAlias) }
        Get-NetFirewallInterfaceTypeFilter -PolicyStore ActiveStore | ForEach-Object { $interfaces[$_.InstanceID] += @($_.InterfaceType) }
        $rules = @(foreach ($rule in Get-NetFirewallRule -PolicyStore ActiveStore -Direction Inbound -Enabled True) {
            $id = $rule.InstanceID
            [ordered]@{
                id = $id; action = [int]$rule.Action; profile = [int]$rule.Profile
                protocol = "$($ports[$id].Protocol)"; ports = @($ports[$id].LocalPort | ForEach-Object { "$_" })
                remote = @($addresses[$id].RemoteAddress | ForEach-Object { "$_" })
                local = @($addresses[$id].LocalAddress | ForEach-Object { "$_" })
                program = "$($programs[$id].Program)"; package = "$($programs[$id].Package)"; service = "$($services[$id].Service)"
                interfaces = @($interfaces[$id] | ForEach-Object { "$_" })
            }
        })
        to-json ([ordered]@{ profiles = @($profiles); rules = @($rules) })
    }

    # Credential specs for group managed service accounts, in files and in the registry: base64, passwords blanked.
    function section-credential-specs {
        need-engine
        if (-not $elevated) { stop-with $DENIED 'only an administrator sees all credential specs' }
        $specs = @(foreach ($spec in (specs)) {
            $entry = [ordered]@{ source = $spec.Source; name = $spec.Name; base64 = $null; error = $null }
            try {
                $entry.base64 = [Convert]::ToBase64String([System.Text.Encoding]::UTF8.GetBytes((spec-text $spec)))
            } catch {
                $entry.error = reason $_
            }
            $entry
        })
        to-json @($specs)
    }

    # Whether this host can use such accounts: the domain, the plugins that fetch passwords, and what went wrong lately.
    function section-windows-gmsa {
        $computer = Get-CimInstance -ClassName Win32_ComputerSystem -OperationTimeoutSec $SecondsEach
        $channel = $null
        if ($computer.PartOfDomain) { $channel = (run "$env:SystemRoot\System32\nltest.exe" @("/sc_query:$($computer.Domain)")).Code }
        $events = @{}
        $failures = @{}
        $problem = $null
        try {
            $query = @{ LogName = 'Microsoft-Windows-Containers-CCG/Admin'; StartTime = (Get-Date).AddDays(-7) }
            foreach ($it in Get-WinEvent -FilterHashtable $query -MaxEvents 1000) {
                $events["$($it.Id)"] = 1 + [int]$events["$($it.Id)"]
                if ($it.Level -in 1, 2, 3) { $failures["$($it.Id)"] = 1 + [int]$failures["$($it.Id)"] }
            }
        } catch {
            if ($_.FullyQualifiedErrorId -notlike 'NoMatchingEventsFound*') { $problem = reason $_ }
        }
        $plugins = @(registry-keys 'SYSTEM\CurrentControlSet\Control\CCG\COMClasses')
        to-json ([ordered]@{
                in_domain = [bool]$computer.PartOfDomain; domain = $computer.Domain; secure_channel = $channel
                events = $events; failures = $failures; events_error = $problem; plugins = $plugins
                registered = @($plugins | Where-Object { Test-Path -LiteralPath "HKLM:\SOFTWARE\Classes\CLSID\$_" })
                accounts = @(accounts)
            })
    }

    # Certificates (public by nature) of the daemon, of registries and of clients, in lines as linux.sh prints them.
    function section-certificates {
        need-engine
        foreach ($path in (certificate-files)) {
            if (-not (Test-Path -LiteralPath $path)) { "absent $path"; continue }
            try { $text = (content $path -Short) } catch { "denied $path"; continue }
            $text = [System.Text.Encoding]::ASCII.GetString($text)
            $own = ($path -eq $engine.CaFile) -or ($path -eq $engine.CertFile)
            $blocks = [regex]::Matches($text, '-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----')
            if ($own -or $blocks.Count) { "file $path" }
            foreach ($block in $blocks) { $block.Value -replace '\r', '' }
        }
    }

    # Private keys near them, in lines: where, and whether encrypted. Never a byte of the key.
    function section-keys {
        need-engine
        if (-not $elevated) { "denied $env:SystemDrive\Users\" }
        foreach ($path in @($engine.KeyFile) + @(near-files) | Select-Object -Unique) {
            if (-not (Test-Path -LiteralPath $path)) { "absent $path"; continue }
            try { $text = [System.Text.Encoding]::ASCII.GetString((content $path -Short)) } catch { "denied $path"; continue }
            if ($text -notmatch 'PRIVATE KEY-----') {
                if ($path -eq $engine.KeyFile) { "unreadable $path" }
            } elseif ($text -match 'ENCRYPTED') {
                "encrypted $path"
            } else {
                "unknown $path"
            }
        }
    }

    # What making certificates left behind (a CA's key, its passphrase), and the machine's certificate store.
    function section-windows-certificates {
        $left = @(foreach ($folder in @('C:\DockerSSLCARoot', 'C:\myDockerKeys', $registryCertificates) + @(client-folders)) {
            Get-ChildItem -LiteralPath $folder -Recurse -Force -File -ErrorAction SilentlyContinue |
                Where-Object { $_.Name -match 'ca-?key' } | ForEach-Object { rights 'leftover' $_.FullName }
        })
        $store = @(foreach ($it in Get-ChildItem -LiteralPath 'Cert:\LocalMachine\My') {
            [ordered]@{
                subject = $it.Subject; issuer = $it.Issuer; thumbprint = $it.Thumbprint; has_key = $it.HasPrivateKey
                not_before = $it.NotBefore.ToUniversalTime().ToString('o'); not_after = $it.NotAfter.ToUniversalTime().ToString('o')
                base64 = [Convert]::ToBase64String($it.RawData)
            }
        })
        to-json ([ordered]@{ leftovers = @($left); store = @($store) })
    }

    # The docker clients of users: who may read their keys and configuration, and which registries' passwords lie in it.
    function section-windows-clients {
        if (-not $elevated) { stop-with $DENIED 'only an administrator sees the profiles of all users' }
        $profiles = @{}
        foreach ($sid in registry-keys $profileList) { $profiles[(profile-folder $sid)] = $sid }
        $clients = @(foreach ($folder in (client-folders)) {
            $entry = [ordered]@{ folder = $folder; sid = $profiles[(parent $folder)]; files = @(); inline = @(); store = $null; error = $null }
            try {
                $entry.files = @('key.pem', 'cert.pem', 'ca.pem', 'config.json' | ForEach-Object { rights $_ (Join-Path $folder $_) })
                $file = Join-Path $folder 'config.json'
                if (Test-Path -LiteralPath $file) {
                    $config = ConvertFrom-Json (decoded (content $file) -Raw).Text
                    $entry.store = "$($config.credsStore)"
                    $entry.inline = @(if ($config.auths) { $config.auths.PSObject.Properties | Where-Object { $_.Value.auth -or $_.Value.identitytoken } | ForEach-Object { $_.Name } })
                }
            } catch {
                $entry.error = reason $_
            }
            $entry
        })
        to-json @($clients)
    }

    # What the system audits, as auditpol prints it (its words follow the system's language, its GUIDs do not).
    function section-windows-audit {
        if (-not $elevated) { stop-with $DENIED 'only an administrator may read the audit policy' }
        $done = run "$env:SystemRoot\System32\auditpol.exe" @('/get', '/category:*', '/r')
        if ($done.Code -ne 0) { stop-with 1 "auditpol ended with $($done.Code): $($done.Err)" }
        to-json ([ordered]@{ culture = [System.Globalization.CultureInfo]::InstalledUICulture.Name; text = $done.Out })
    }

    # The application event log, where the engine writes: whether it is on, and how large it may grow.
    function section-windows-eventlog {
        $log = Get-WinEvent -ListLog 'Application'
        to-json ([ordered]@{ enabled = $log.IsEnabled; max_bytes = $log.MaximumSizeInBytes; mode = [int]$log.LogMode })
    }

    # The door we came by: what WinRM accepts.
    function section-windows-winrm {
        $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='WinRM'" -OperationTimeoutSec $SecondsEach
        if ($service.State -ne 'Running') { stop-with $ABSENT 'the service WinRM does not run' }
        $listeners = @(foreach ($listener in Get-ChildItem -Path 'WSMan:\localhost\Listener') {
            $entry = [ordered]@{}
            Get-ChildItem -Path $listener.PSPath | ForEach-Object { $entry[$_.Name] = "$($_.Value)" }
            $entry
        })
        $auth = [ordered]@{}
        Get-ChildItem -Path 'WSMan:\localhost\Service\Auth' | ForEach-Object { $auth[$_.Name] = "$($_.Value)" }
        $unencrypted = (Get-Item -Path 'WSMan:\localhost\Service\AllowUnencrypted').Value
        to-json ([ordered]@{ unencrypted = "$unencrypted"; auth = $auth; listeners = @($listeners) })
    }

    # Roles and features that are installed. Last, because it is slow.
    function section-windows-features {
        if (Get-Command -Name Get-WindowsFeature -ErrorAction SilentlyContinue) {
            $installed = @(Get-WindowsFeature | Where-Object { $_.Installed } | ForEach-Object { $_.Name })
            to-json ([ordered]@{ source = 'server'; installed = $installed })
        } else {
            $enabled = @(Get-WindowsOptionalFeature -Online | Where-Object { [int]$_.State -eq 2 } | ForEach-Object { $_.FeatureName })
            to-json ([ordered]@{ source = 'optional'; installed = $enabled })
        }
    }

    # ---- what the sections share ------------------------------------------------------------------------------------

    # Where the engine looks for registries' certificates, wherever its data lies.
    $registryCertificates = "$env:ProgramData\docker\certs.d"
    $credentialSpecKey = 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Virtualization\Containers\CredentialSpecs'

    # End a section with a status of its own.
    function stop-with([int]$status, [string]$why) {
        $script:status = $status
        throw $why
    }

    # An error in one line: its type and number, which are the same in every language, then its words.
    function reason($failure) {
        $it = $failure.Exception.GetBaseException()
        '{0} 0x{1:X8}: {2}' -f $it.GetType().Name, $it.HResult, (redact ($it.Message -replace '\s+', ' '))
    }

    # JSON in one line. Lists stay lists, whatever their length, because callers wrap them in @().
    function to-json($value) {
        if ($null -eq $value) { return '[]' }
        ConvertTo-Json -InputObject $value -Depth 12 -Compress
    }

    # Blank the values of password-like JSON keys, KEY=VALUE options, credentials in addresses, and inline credential specs.
    function redact([string]$text) {
        $text = [regex]::Replace($text, '(?i)("[^"]*(?:token|passw|secret|credential(?!spec)|access-?key)[^"]*"\s*:\s*")(?:[^"\\]|\\.)*"', '$1***"')
        $text = [regex]::Replace($text, '(?i)((?:token|passw[a-z]*|pwd|secret|credential(?!spec)|access-?key)[a-z_-]*=)(?:[^"\\,;\s]|\\.)*', '$1***')
        $text = [regex]::Replace($text, '(?i)(credentialspec[=:]raw://)(?:[^"\\]|\\.)*', '$1***')
        $text = [regex]::Replace($text, '(?i)("PluginInput"\s*:\s*")((?:[^"\\]|\\.)*)"', $hideParts)
        $text = [regex]::Replace($text, '(?i)"PluginInput"\s*:\s*(?:\{(?:[^{}]|\{[^{}]*\})*\}|\[[^\]]*\])', $hideInside)
        [regex]::Replace($text, '(://)[^/"\s]*@', '$1***@')
    }
    # Of a plugin's input only how many parts it has: 'domain:user:password' becomes '***:***:***', a name (ARN) 'arn'.
    $hideParts = [System.Text.RegularExpressions.MatchEvaluator] {
        param($match)
        $value = $match.Groups[2].Value
        $match.Groups[1].Value + $(if ($value -like 'arn:*') { 'arn' } else { $value -replace '[^:]+', '***' }) + '"'
    }

    # The same of every text in an input that is an object or a list.
    $hideInside = [System.Text.RegularExpressions.MatchEvaluator] {
        param($match)
        [regex]::Replace($match.Value, '([:,\[]\s*")((?:[^"\\]|\\.)*)"(?!\s*:)', $hideParts)
    }

    # Of one step of a build what may leave the host; auditor/collect/windows_history.py does the same and has the tests.
    function reduced-step([string]$text) {
        $text = [regex]::Replace($text, '[\x00-\x08\x0b\x0c\x0e-\x1f]', '?').Replace("`r", "`n").Replace("`t", ' ')
        $text = [regex]::Replace($text, ' *# buildkit *$', '')
        $at = $text.IndexOf('#(nop) ', [StringComparison]::Ordinal)
        if ($at -ge 0) { $text = $text.Substring($at + 7).TrimStart(' ') }
        $found = [regex]::Match($text, '^(?:ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)(?![A-Z])')
        if ($found.Success) {
            $keyword = $found.Value
            $text = $text.Substring($found.Length)
        } elseif ([regex]::IsMatch($text, '^(?:Apply image|Install update) ')) {
            return "FROM`t`t"
        } else {
            $keyword = $(if ($text) { 'RUN' } else { 'NONE' })
        }
        if ($keyword -in 'ADD', 'COPY') { return "$keyword`t" + (reduced-files $text) }
        $words = $(if ($keyword -eq 'RUN') { reduced-commands ($text.ToLowerInvariant()) } else { '' })
        "$keyword`t$words`t" + (secrets-named $text)
    }
    function reduced-commands([string]$text) {
        $text = [regex]::Replace([regex]::Replace($text, '[`^]\n', ' '), '^ *\|[0-9]+ ', '')
        $text = [regex]::Replace([regex]::Replace($text, '(?:cmd(?:\.exe)? +(?:/[a-z:]+ +)+|(?:powershell|pwsh)(?:\.exe)? +(?:-(?:noprofile|nologo|noninteractive|executionpolicy +[a-z]+|command|c) +)+)', ' ; '), '\|\||[;&\n(){}]', ' ; ').Replace('|', ' | ')
        $last = ''
        $kept = @(foreach ($word in [regex]::Split($text, '(?:[ \x22'',=\[\]]|:(?![\\/]))+')) {
            if (-not $word) { continue }
            $word = [regex]::Replace($word, '^.*\\|\.exe$', '')
            if (-not $knownWords.Contains(" $word ")) { $word = '_' }
            if ($word -ne $last -or $word -notin '_', ';') { $word }
            $last = $word
        })
        [regex]::Replace($kept -join ' ', '^; ', '')
    }
    function reduced-files([string]$text) {
        $secrets = @()
        $kept = @(foreach ($word in $text.Split("`n")[0].Split(' ')) {
            if (-not $word) { continue }
            if ($word.StartsWith('--', [StringComparison]::Ordinal)) { $word = $word.Split('=')[0] }
            $at = $word.IndexOf('://', [StringComparison]::Ordinal)
            if ($at -ge 0) { $word = $word.Substring(0, $at + 3) }
            if (-not [regex]::IsMatch($word, '^[A-Za-z0-9_./*:@+\\-]+$')) { $word = '_' }
            $word
            $name = [regex]::Split($word, '[\\/]')[-1]
            if ([regex]::IsMatch($name.ToLowerInvariant(), '^(?:id_(?:rsa|dsa|ecdsa|ed25519)|.+\.(?:key|p12|pfx|jks|kdbx)|\.env|\.npmrc|\.pypirc|\.netrc|\.git-credentials|\.dockercfg|\.pgpass|\.htpasswd)$') -and $secrets -cnotcontains $name) { $secrets += $name }
        })
        ($kept -join ' ') + "`t" + ($secrets -join ',')
    }
    function secrets-named([string]$text) {
        $low = $text.ToLowerInvariant()
        $names = @($secretKinds.Keys | Where-Object { [regex]::IsMatch($low, $secretKinds[$_]) })
        foreach ($match in [regex]::Matches($low, $secretAssigned)) {
            if ([regex]::IsMatch($match.Value, '^(?:[^-/]|/[^ ]*[/.])[^:=]*$')) { continue }
            if ([regex]::IsMatch($match.Groups[1].Value, '^(?:[-$<%*(@{\\]|(?:true|false|yes|no|on|off|none|null|0|1)?$)')) { continue }
            $name = [regex]::Replace($text.Substring($match.Index, $match.Length), '^[-./]+|[^A-Za-z0-9_.-]', '')
            $name = $name.Substring(0, [Math]::Min(64, $name.Length))
            if ($names -cnotcontains $name) { $names += $name }
        }
        $names -join ','
    }
    $secretKinds = [ordered]@{
        'credentials-in-an-address' = '[a-z]://[^ /\x22@:]+:[^ /\x22@$]+@'
        'authorization-header' = 'authorization[''\x22]? *[:=] *[''\x22]?(?:bearer|basic) +[^ $]'
        'private-key' = '-----begin [a-z ]*private key'
        'password-of-an-account' = '(?:^|[^a-z0-9_-])net1?(?:\.exe)? +user +(?:\x22[^\x22]*\x22|[^ ]+) +[^ /*%$]'
        'secure-string-in-clear' = 'convertto-securestring [^;|&\n]*[''\x22][^''\x22$%]'
        'aws-access-key' = '(?:akia|asia)[0-9a-z]{16}'
        'github-token' = 'gh[pousr]_[0-9a-z]{8}'
    }
    $secretAssigned = '(?<![a-z0-9_./-])[a-z0-9_./-]*(?:password|passwd|passphrase|secret|token|credentials?' +
        '|(?:api|access|account|secret|private|auth|encryption)[-_]?key|[-_]pass|[-_]pwd)[0-9]*' +
        '(?:\x22? *[:=] *| +)(?=[''\x22]*([^''\x22 \n;&|)]*))'
    $knownWords = ' ' +
        '; | if else foreach try catch set setx call start start-process iex invoke-expression iwr invoke-webrequest ' +
        'invoke-restmethod curl wget certutil start-bitstransfer get-filehash expand-archive get-authenticodesignature msiexec ' +
        'choco scoop winget install-windowsfeature add-windowsfeature uninstall-windowsfeature remove-windowsfeature ' +
        'enable-windowsoptionalfeature disable-windowsoptionalfeature add-windowscapability install-package install-module dism ' +
        'net net1 user localgroup administrators new-localuser add-localgroupmember icacls reg sc new-service install add update ' +
        'upgrade feature enable disable uninstall remove sdk runtime build restore publish -y -name -featurename /featurename ' +
        '/capabilityname /online -online /enable-feature /disable-feature /add-capability /all -all -includeallsubfeature ' +
        '-includemanagementtools /add -addnew -asplaintext /grant vs_buildtools vs_community vs_professional vs_enterprise ' +
        'vs_installer vs_setup msbuild csc cl nuget dotnet npm node yarn pip go cargo rustup mvn gradle cmake ninja make gcc ' +
        'mingw git visualstudio2017buildtools visualstudio2019buildtools visualstudio2022buildtools visualcpp-build-tools ' +
        'windows-sdk-10.0 dotnet-sdk golang nodejs python python3 openjdk jdk jdk8 maven rust msys2 strawberryperl web-server ' +
        'web-webserver web-common-http web-default-doc web-dir-browsing web-http-errors web-static-content web-asp-net ' +
        'web-asp-net45 web-mgmt-tools web-mgmt-console web-mgmt-service web-windows-auth web-ftp-server web-dav-publishing ' +
        'net-framework-features net-framework-core net-framework-45-aspnet net-framework-45-core net-wcf-services45 ' +
        'net-wcf-http-activation45 fs-smb1 fs-smb1-client fs-smb1-server fs-fileserver fs-nfs-service telnet-client telnetclient ' +
        'telnet-server tftp-client tftp powershell-v2 powershell-ise microsoftwindowspowershellv2 ' +
        'microsoftwindowspowershellv2root smb1protocol smb1protocol-client smb1protocol-server windows-defender dhcp dns ' +
        'print-server print-services print-lpd-service fax rds-rd-server rds-connection-broker rds-licensing rds-gateway rsat ' +
        'rsat-ad-powershell rsat-ad-tools ad-domain-services adlds adcs-cert-authority snmp-service snmp smtp-server msmq ' +
        'msmq-server msmq-services wins wds simple-tcpip simpletcp remoteaccess routing hyper-v containers iis-webserverrole ' +
        'iis-webserver iis-aspnet iis-aspnet45 iis-ftpserver iis-managementservice iis-webdav netfx3 netfx4-aspnet45 ' +
        'openssh.server openssh.client openssh.server~~~~0.0.1.0 openssh.client~~~~0.0.1.0 '

    # Values of a registry key by name, and the names of the keys below it; empty where there is no such key.
    function registry-values([string]$path) {
        $found = @{}
        $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($path)
        if ($key) {
            foreach ($name in $key.GetValueNames()) { $found[$name] = $key.GetValue($name) }
            $key.Close()
        }
        $found
    }
    function registry-keys([string]$path) {
        $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($path)
        if ($key) {
            $key.GetSubKeyNames()
            $key.Close()
        }
    }

    # The bytes of a file; of a file that should be small only so much.
    function content([string]$path, [switch]$Short) {
        if ((Get-Item -LiteralPath $path -Force).Length -gt 524288) {
            if (-not $Short) { stop-with $TRUNCATED $path }
            return , [byte[]]@()
        }
        , [System.IO.File]::ReadAllBytes($path)
    }

    # A file's text by its byte order mark, passwords blanked unless it stays here.
    function decoded([byte[]]$bytes, [switch]$Raw) {
        $encoding = New-Object System.Text.UTF8Encoding($true)
        $start = [BitConverter]::ToString($bytes, 0, [Math]::Min(3, $bytes.Length))
        $size = 0
        if ($start -eq 'EF-BB-BF') { $size = 3 }
        if ($start -like 'FF-FE*') { $encoding = [System.Text.Encoding]::Unicode; $size = 2 }
        if ($start -like 'FE-FF*') { $encoding = [System.Text.Encoding]::BigEndianUnicode; $size = 2 }
        $text = $encoding.GetString($bytes, $size, $bytes.Length - $size)
        if (-not $Raw) { $text = redact $text }
        $preamble = [byte[]]@()
        if ($size) { $preamble = $encoding.GetPreamble() }
        [pscustomobject]@{ Text = $text; Encoding = $encoding; Preamble = $preamble }
    }

    # Rights on a path or registry key, as SDDL.
    function sddl([string]$path) {
        try { (Get-Acl -LiteralPath $path).Sddl } catch { $null }
    }
    function rights([string]$role, [string]$path, [switch]$Audit) {
        if (-not $path) { return }
        $entry = [ordered]@{ role = $role; path = $path; exists = $false; folder = $false; size = $null; sddl = $null; audit = $null; error = $null }
        try {
            if (Test-Path -LiteralPath $path) {
                $entry.exists = $true
                $item = Get-Item -LiteralPath $path -Force
                $entry.folder = [bool]$item.PSIsContainer
                if ($item -is [System.IO.FileInfo]) { $entry.size = $item.Length }
                $entry.sddl = (Get-Acl -LiteralPath $path).Sddl
                if ($Audit) { $entry.audit = (Get-Acl -LiteralPath $path -Audit).Sddl }
            }
        } catch {
            $entry.error = reason $_
        }
        $entry
    }
    function service-sddl([string]$name) {
        $done = run "$env:SystemRoot\System32\sc.exe" @('sdshow', $name)
        if ($done.Code -eq 0) { $done.Out.Trim() }
    }

    # All named pipes, one by one, because a name that .NET holds for illegal ends a listing of all.
    function pipe-paths {
        $each = [System.IO.Directory]::EnumerateFiles('\\.\pipe\').GetEnumerator()
        for ($i = 0; $i -lt 10000; $i++) {
            try { if (-not $each.MoveNext()) { break } } catch { continue }
            $each.Current
        }
    }
    function parent([string]$path) {
        if ($path) { [System.IO.Path]::GetDirectoryName($path) }
    }
    # Files and folders below a folder, two levels down; of more than 500 nobody would know whether all were looked at.
    function children([string]$folder) {
        $items = @(Get-ChildItem -LiteralPath $folder -Recurse -Depth 1 -Force -ErrorAction SilentlyContinue | Select-Object -First 501)
        if ($items.Count -gt 500) { stop-with $TRUNCATED "more than 500 files and folders in $folder" }
        $items
    }
    # Where users' profiles are, by their SID; and the folders .docker in them and in those that no user has any more.
    $profileList = 'SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList'
    function profile-folder([string]$sid) {
        "$((registry-values "$profileList\$sid").ProfileImagePath)"
    }
    function client-folders {
        $found = @(registry-keys $profileList | ForEach-Object { profile-folder $_ })
        $found += @(Get-ChildItem -LiteralPath "$env:SystemDrive\Users" -Directory -Force -ErrorAction SilentlyContinue | ForEach-Object { $_.FullName })
        $found | Where-Object { $_ } | Sort-Object -Unique | ForEach-Object { "$_\.docker" } | Where-Object { [System.IO.Directory]::Exists($_) }
    }
    function near-files {
        $folders = @(parent $engine.CaFile; parent $engine.CertFile; parent $engine.KeyFile; $registryCertificates; client-folders)
        $files = @(foreach ($folder in ($folders | Where-Object { $_ } | Select-Object -Unique)) {
            Get-ChildItem -LiteralPath $folder -Recurse -Depth 1 -File -Force -ErrorAction SilentlyContinue |
                Where-Object { $_.Extension -in '.pem', '.crt', '.cer', '.key' } | ForEach-Object { $_.FullName }
        })
        $files | Select-Object -First 200
    }
    function certificate-files {
        @($engine.CaFile, $engine.CertFile) + @(near-files) | Where-Object { $_ } | Select-Object -Unique
    }

    # The environment that the daemon gets. Values only of variables that configure it; of the others only the names.
    function environment {
        $pairs = @(
            if ($engine.Service) {
                $values = registry-values "SYSTEM\CurrentControlSet\Services\$($engine.Service)"
                foreach ($line in $values.Environment) { , @('service', $line.Split('=', 2)[0], "$($line.Split('=', 2)[1])") }
            }
            $machine = registry-values 'SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
            foreach ($name in $machine.Keys) { , @('machine', $name, "$($machine[$name])") }
        )
        foreach ($pair in $pairs) {
            $value = $null
            if ($pair[1] -match '^(DOCKER_[A-Z_]*|HTTPS?_PROXY|NO_PROXY)$') { $value = (redact "$($pair[1])=$($pair[2])").Split('=', 2)[1] }
            [ordered]@{ scope = $pair[0]; name = $pair[1]; value = $value; userinfo = ($pair[2] -match '://[^/\s]*@') }
        }
    }

    # A program's version and signature.
    function executable([string]$path) {
        if (-not ($path -and (Test-Path -LiteralPath $path))) { return $null }
        $version = (Get-Item -LiteralPath $path).VersionInfo
        $signature = Get-AuthenticodeSignature -LiteralPath $path
        $signer = $null
        if ($signature.SignerCertificate) { $signer = $signature.SignerCertificate.Subject }
        [ordered]@{
            path = $path; file_version = $version.FileVersion; product_version = $version.ProductVersion; company = $version.CompanyName
            signature = [int]$signature.Status; signer = $signer
        }
    }

    # Members of a local group, with those whose account is gone.
    function members([string]$group) {
        $found = ([ADSI]"WinNT://./$group,group").psbase.Invoke('Members')
        foreach ($member in $found) {
            $bytes = $member.GetType().InvokeMember('objectSid', 'GetProperty', $null, $member, $null)
            [ordered]@{
                sid = (New-Object System.Security.Principal.SecurityIdentifier($bytes, 0)).Value
                name = "$($member.GetType().InvokeMember('Name', 'GetProperty', $null, $member, $null))"
                # WinNT://DOMAIN/name, for a local one WinNT://WORKGROUP/MACHINE/name, for one that is gone WinNT://SID.
                domain = "$($member.GetType().InvokeMember('ADsPath', 'GetProperty', $null, $member, $null))".Split('/')[-2]
                class = "$($member.GetType().InvokeMember('Class', 'GetProperty', $null, $member, $null))"
            }
        }
    }

    # The credential specs that there are, in files and in the registry, and the text of one, passwords blanked.
    function specs {
        foreach ($item in (children "$($engine.DataRoot)\CredentialSpecs")) {
            if (-not $item.PSIsContainer) { @{ Source = 'file'; Name = $item.FullName } }
        }
        foreach ($name in (registry-values $credentialSpecKey.Substring(6)).Keys) { @{ Source = 'registry'; Name = $name } }
    }
    function spec-text($spec) {
        if ($spec.Source -eq 'file') { return (decoded (content $spec.Name)).Text }
        redact "$((registry-values $credentialSpecKey.Substring(6))[$spec.Name])"
    }

    # Whether the accounts of the credential specs can be used here: null and the reason where that cannot be known.
    function accounts {
        foreach ($spec in (specs)) {
            $entry = [ordered]@{ source = $spec.Source; spec = $spec.Name; name = $null; usable = $null; error = $null }
            try {
                $entry.name = "$((ConvertFrom-Json (spec-text $spec)).DomainJoinConfig.MachineAccountName)"
                if (-not (Get-Command -Name Test-ADServiceAccount -ErrorAction SilentlyContinue)) { throw 'Test-ADServiceAccount is not installed' }
                $entry.usable = [bool](Test-ADServiceAccount -Identity $entry.name)
            } catch {
                $entry.error = reason $_
            }
            $entry
        }
    }

    # Run a program of Windows or Docker's client, with a time limit and nothing on its standard input.
    function run([string]$program, [string[]]$arguments) {
        $start = New-Object System.Diagnostics.ProcessStartInfo
        $start.FileName = $program
        $start.Arguments = @($arguments | ForEach-Object { '"' + $_.Replace('"', '\"') + '"' }) -join ' '
        $start.UseShellExecute = $false
        $start.CreateNoWindow = $true
        $start.RedirectStandardInput = $true
        $start.RedirectStandardOutput = $true
        $start.RedirectStandardError = $true
        $start.StandardOutputEncoding = New-Object System.Text.UTF8Encoding($false)
        foreach ($name in 'DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH', 'DOCKER_API_VERSION') {
            $start.EnvironmentVariables.Remove($name)
        }
        $process = [System.Diagnostics.Process]::Start($start)
        $process.StandardInput.Close()
        $out = $process.StandardOutput.ReadToEndAsync()
        $err = $process.StandardError.ReadToEndAsync()
        if (-not $process.WaitForExit($SecondsEach * 1000)) {
            $process.Kill()
            stop-with $TIMEOUT "$program did not end within $SecondsEach s"
        }
        [pscustomobject]@{ Code = $process.ExitCode; Out = $out.Result; Err = ($err.Result -replace '\s+', ' ') }
    }

    # Ask the engine by Docker's client. An engine that did not answer once is not asked again.
    function ask-engine([string[]]$arguments, [switch]$Lenient) {
        need-engine
        if ($script:mute) { stop-with $script:muteStatus $script:mute }
        if (-not $engine.Client) { stop-with 1 'there is an engine but no docker client to ask it with' }
        $address = 'npipe:' + $engine.Pipe.Replace('\', '/').Replace('//./pipe', '////./pipe')
        try {
            $done = run $engine.Client (@('-H', $address) + $arguments)
            if ($done.Code -eq 0 -or ($Lenient -and $done.Out.Trim())) { return $done.Out.TrimEnd() }
            $problem = "the engine at $address does not answer: $(redact $done.Err)"
            $code = $(if ($elevated) { 1 } else { $DENIED })
        } catch {
            $problem = "the engine at $address does not answer: $($_.Exception.Message)"
            $code = $(if ($script:status) { $script:status } else { 1 })
        }
        if (-not $Lenient) {
            $script:mute = $problem
            $script:muteStatus = $code
        }
        stop-with $code $problem
    }
    function need-engine {
        if ($engineProblem) { stop-with 1 $engineProblem }
        if (-not $engine.There) { stop-with $ABSENT 'no service and no process runs dockerd, and there is no pipe docker_engine' }
    }
    filter words { $_.Split() | Where-Object { $_ } }
    function image-ids {
        ask-engine 'image', 'ls', '--quiet', '--no-trunc' | words | Sort-Object -Unique
    }
    # Inspect many objects, a hundred at a time; one that is gone meanwhile does not matter.
    function inspect([string]$kind, [string[]]$names, [string]$template) {
        for ($first = 0; $first -lt $names.Count; $first += 100) {
            $some = $names[$first..([Math]::Min($first + 99, $names.Count - 1))]
            redact (ask-engine (@($kind, 'inspect', '--format', $template) + $some) -Lenient)
        }
    }

    # A command line's words, and the values of one flag among them: --name VALUE, --name=VALUE, -n VALUE.
    function split-line([string]$line) {
        [regex]::Matches($line, '(?:"[^"]*"|[^\s"])+') | ForEach-Object { $_.Value.Replace('"', '') }
    }
    function flag([string[]]$names) {
        $line = @($engine.Arguments)
        for ($i = 1; $i -lt $line.Count; $i++) {
            $name, $value = $line[$i].Split('=', 2)
            if ($names -cnotcontains $name) { continue }
            if ($line[$i].Contains('=')) { $value } else { $line[$i + 1] }
        }
    }
    # What the daemon was told by flag or, that failing, by key; only to know what to look at.
    function told([string[]]$names, [string]$key) {
        $found = @(flag $names)
        if (-not $found) { $found = @($engine.Config.$key) }
        $found | Where-Object { $_ }
    }

    # The engine: by its service, whatever that is called; else by a process named dockerd; else by its pipe.
    function find-engine {
        $filter = "PathName LIKE '%dockerd%' OR PathName LIKE '%containerd%' OR Name='com.docker.service'"
        $engine.Services = @(Get-CimInstance -ClassName Win32_Service -Filter $filter -OperationTimeoutSec $SecondsEach)
        $engine.Processes = @(Get-CimInstance -ClassName Win32_Process -Filter "Name='dockerd.exe'" -OperationTimeoutSec $SecondsEach)
        $service = $engine.Services | Where-Object { $_.PathName -match 'dockerd' } | Sort-Object -Property { $_.State -ne 'Running' } | Select-Object -First 1
        $process = $engine.Processes | Select-Object -First 1
        $line = ''
        if ($service) {
            $engine.Service = $service.Name
            $engine.FoundBy = 'service'
            $line = $service.PathName
            if ($service.ProcessId) { $process = $engine.Processes | Where-Object { $_.ProcessId -eq $service.ProcessId } | Select-Object -First 1 }
        } elseif ($process) {
            $engine.FoundBy = 'name'
        }
        if ($process) {
            $engine.Pid = [int]$process.ProcessId
            $engine.Started = [long]($process.CreationDate.ToUniversalTime() - [DateTime]'1970-01-01').TotalSeconds
            $engine.Executable = $process.ExecutablePath
            if ($process.CommandLine) { $line = $process.CommandLine }
        }
        $engine.Arguments = @(split-line $line)
        if (-not $engine.Executable -and $line) { $engine.Executable = $engine.Arguments[0] }
        find-files
        find-client
        $engine.There = $line -or (Test-Path -LiteralPath $engine.Pipe)
    }

    # Its configuration file, data, certificates and pipes, where it looks for them itself.
    function find-files {
        $base = @(flag '--data-root', '--graph', '-g') + @("$env:ProgramData\docker") | Select-Object -First 1
        $engine.ConfigFile = @(flag '--config-file') + @("$base\config\daemon.json") | Select-Object -First 1
        try { $engine.Config = ConvertFrom-Json (decoded (content $engine.ConfigFile) -Raw).Text } catch { $engine.Config = $null }
        $engine.DataRoot = @(told @('--data-root', '--graph', '-g') 'data-root') + @($engine.Config.graph, $base) | Where-Object { $_ } | Select-Object -First 1
        $engine.Groups = @(told @('--group', '-G') 'group' | ForEach-Object { $_.Split(',').Trim() })
        $named = @(told @('--host', '-H') 'hosts' | Where-Object { $_ -like 'npipe:*' } | ForEach-Object { $_.Substring(6).Replace('////', '//').Replace('/', '\') })
        $engine.Pipes = $named + @('\\.\pipe\docker_engine') | Select-Object -Unique
        $engine.Pipe = $engine.Pipes | Select-Object -First 1
        $variables = @(environment)
        $certificates = @(foreach ($wanted in 'DOCKER_CERT_PATH', 'DOCKER_CONFIG') {
            $variables | Where-Object { $_.name -eq $wanted -and $_.value } | ForEach-Object { $_.value }
        }) + @("$env:SystemRoot\System32\config\systemprofile\.docker") | Select-Object -First 1
        $engine.CaFile = @(told '--tlscacert' 'tlscacert') + @("$certificates\ca.pem") | Select-Object -First 1
        $engine.CertFile = @(told '--tlscert' 'tlscert') + @("$certificates\cert.pem") | Select-Object -First 1
        $engine.KeyFile = @(told '--tlskey' 'tlskey') + @("$certificates\key.pem") | Select-Object -First 1
    }
    function find-client {
        $places = @(parent $engine.Executable; "$env:ProgramFiles\Docker"; "$env:SystemRoot\System32"; "$env:ProgramFiles\Docker\Docker\resources\bin")
        $engine.Client = $places | Where-Object { $_ } | ForEach-Object { "$_\docker.exe" } | Where-Object { Test-Path -LiteralPath $_ } | Select-Object -First 1
    }

    # The drives WSMan: and Cert: are there once their modules are, and these come with a command of theirs.
    'Get-WSManInstance', 'Get-PfxCertificate' | ForEach-Object { $null = Get-Command -Name $_ -ErrorAction SilentlyContinue }
    # Without this, Windows PowerShell writes a list in JSON as an object with a count. It holds for this thread only.
    Remove-TypeData -TypeName System.Array -ErrorAction SilentlyContinue
    $elevated = $false
    try { $elevated = (New-Object System.Security.Principal.WindowsPrincipal([System.Security.Principal.WindowsIdentity]::GetCurrent())).IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator) } catch { $elevated = $false }
    $engine = @{ There = $false; Services = @(); Processes = @(); Arguments = @(); Pid = 0; Started = 0; FoundBy = 'pipe'; Groups = @(); Pipes = @() }
    $engineProblem = $null
    try { find-engine } catch { $engineProblem = "looking for the engine failed: $(reason $_)" }

    foreach ($name in $Asked) {
        $script:status = 0
        $why = ''
        $text = New-Object System.Text.StringBuilder
        try {
            if (-not (Test-Path -LiteralPath "Function:\section-$name")) { stop-with 1 'not a section of Windows hosts' }
            & "section-$name" | ForEach-Object { $null = $text.Append("$_`n") }
            $script:status = 0
        } catch {
            $why = $(if ($script:status) { $_.Exception.Message } else { reason $_ })
            if (-not $script:status) { $script:status = $(if ($_.Exception.GetBaseException() -is [UnauthorizedAccessException]) { $DENIED } else { 1 }) }
        }
        $data = $text.ToString()
        if ($data.Length -gt $CharactersEach) {
            $data = $data.Substring(0, $CharactersEach)
            $script:status = $TRUNCATED
        }
        $Found[$name] = @($script:status, ($why -replace '\s+', ' '), $data)
    }
}

# ---- the reply ----------------------------------------------------------------------------------------------------------

$ErrorActionPreference = 'Stop'
$asked = @($Sections | ForEach-Object { $_.Split(',') } | Where-Object { $_ })
if (-not $asked) {
    $asked = @([regex]::Matches($collector.ToString(), '(?m)^    function section-([a-z-]+) ') | ForEach-Object { $_.Groups[1].Value })
}
$found = [hashtable]::Synchronized(@{})
$worker = [PowerShell]::Create()
$null = $worker.AddScript($collector.ToString()).AddArgument([string[]]$asked).AddArgument($found)
$handle = $worker.BeginInvoke()
$missing = @(124, "no end within $Seconds s", '')
if ($handle.AsyncWaitHandle.WaitOne($Seconds * 1000)) {
    try { $null = $worker.EndInvoke($handle) } catch { $missing = @(1, ("the collector failed: $($_.Exception.Message)" -replace '\s+', ' '), '') }
} else {
    $null = $worker.BeginStop($null, $null)
}
$nonce = [Guid]::NewGuid().ToString('N')
$reply = New-Object System.Text.StringBuilder
$null = $reply.Append("docker-host-auditor bundle 1 $nonce`n")
foreach ($name in $asked) {
    $status, $why, $data = $(if ($found.ContainsKey($name)) { $found[$name] } else { $missing })
    $null = $reply.Append("--$nonce begin $name`n$data`n--$nonce end $name $status $why`n")
}
$null = $reply.Append("--$nonce done`n")
if ($Plain) {
    $reply.ToString()
    return
}
$memory = New-Object System.IO.MemoryStream
$gzip = New-Object System.IO.Compression.GZipStream($memory, [System.IO.Compression.CompressionMode]::Compress)
$bytes = (New-Object System.Text.UTF8Encoding($false)).GetBytes($reply.ToString())
$gzip.Write($bytes, 0, $bytes.Length)
$gzip.Close()
$packed = $memory.ToArray()
$digest = [BitConverter]::ToString([System.Security.Cryptography.SHA256]::Create().ComputeHash($packed)).Replace('-', '').ToLowerInvariant()
@(
    '-----BEGIN DOCKER HOST AUDITOR BUNDLE-----'
    [Convert]::ToBase64String($packed, [Base64FormattingOptions]::InsertLineBreaks)
    "SHA-256 $digest"
    '-----END DOCKER HOST AUDITOR BUNDLE-----'
) -join "`r`n"
