"""Ready files of commands, to be adapted: one for each way in which registries are usually run."""

from __future__ import annotations

from typing import Final

_HEAD: Final = """\
# Commands by which Berth sweeps a registry: read-only on, garbage-collect, read-only off (docs/cleanup-classic.md).
# Name this file in BERTH_CLEANUP_COMMANDS. Whoever may write it runs code as Berth's worker, so Berth refuses it where
# others than its own user (and root) may write it or its folder:  chmod 600 commands.toml
#
# Each command is a list of words; no shell reads them. They run one after the other on the worker's machine, in /, and
# see PATH, HOME and the variables of `environment`. Each part ends when its commands have, and the registry has to be
# up again within `answers` seconds after that. Berth adds --dry-run itself, and refuses --delete-untagged. People who
# are signed in see the commands: put no secret into them.
"""
_SECONDS: Final = "seconds = { read-only-on = 600, garbage-collect = 21600, read-only-off = 600, answers = 120 }\n"
_REDIS: Final = """\
# With a redis cache of blobs, which outlives a restart, empty it too, before the registry is opened:
#   ["redis-cli", "-h", "cache", "-n", "0", "flushdb"],
"""

TEMPLATES: Final[dict[str, str]] = {
    "docker": f"""{_HEAD}
# docker: the container is called "registry", and a second one with the same volume takes its place while it is
# read-only. Both were made before, once:
#   docker create --name registry-read-only -p 127.0.0.1:5000:5000 -v registry:/var/lib/registry \\
#     -e REGISTRY_STORAGE_MAINTENANCE_READONLY='{{"enabled":true}}' registry:2
# Give the second one the same options as the first, and no restart policy.
[[registry]]
address = "http://127.0.0.1:5000"
read-only-on = [
  ["docker", "stop", "registry"],
  ["docker", "start", "registry-read-only"],
]
garbage-collect = [
  "docker", "exec", "registry-read-only", "registry", "garbage-collect", "/etc/docker/registry/config.yml",
]
{_REDIS}read-only-off = [
  ["docker", "stop", "registry-read-only"],
  ["docker", "start", "registry"],
]
{_SECONDS}""",
    "compose": f"""{_HEAD}
# compose: beside compose.yml stands read-only.yml, which says no more than
#   services:
#     registry:
#       environment:
#         REGISTRY_STORAGE_MAINTENANCE_READONLY: '{{"enabled":true}}'
[[registry]]
address = "https://registry.example.org"
read-only-on = [
  [
    "docker", "compose", "-f", "/srv/registry/compose.yml", "-f", "/srv/registry/read-only.yml",
    "up", "-d", "--no-deps", "registry",
  ],
]
garbage-collect = [
  "docker", "compose", "-f", "/srv/registry/compose.yml", "-f", "/srv/registry/read-only.yml",
  "exec", "-T", "registry", "registry", "garbage-collect", "/etc/docker/registry/config.yml",
]
{_REDIS}read-only-off = [
  ["docker", "compose", "-f", "/srv/registry/compose.yml", "up", "-d", "--no-deps", "registry"],
]
{_SECONDS}""",
    "systemd": f"""{_HEAD}
# systemd: the unit reads an optional file of variables, by a drop-in that `systemctl edit docker-registry` makes:
#   [Service]
#   EnvironmentFile=-/run/docker-registry-mode
# and /etc/docker/registry/read-only.env holds
#   REGISTRY_STORAGE_MAINTENANCE_READONLY={{"enabled":true}}
# sudo may need a rule for exactly these commands; a reboot ends read-only, since /run is emptied.
[[registry]]
address = "http://127.0.0.1:5000"
read-only-on = [
  ["sudo", "-n", "cp", "/etc/docker/registry/read-only.env", "/run/docker-registry-mode"],
  ["sudo", "-n", "systemctl", "restart", "docker-registry"],
]
garbage-collect = [
  "sudo", "-n", "-u", "docker-registry", "docker-registry", "garbage-collect", "/etc/docker/registry/config.yml",
]
{_REDIS}read-only-off = [
  ["sudo", "-n", "rm", "-f", "/run/docker-registry-mode"],
  ["sudo", "-n", "systemctl", "restart", "docker-registry"],
]
{_SECONDS}""",
    "kubernetes": f"""{_HEAD}
# Kubernetes: a deployment "registry" in the namespace "registry". The account needs the rights to get and patch
# deployments, to get and list pods, and to create pods/exec there. `rollout status` waits until no old pod is left.
[[registry]]
address = "https://registry.example.org"
environment = {{ KUBECONFIG = "/etc/berth/kubeconfig" }}
read-only-on = [
  [
    "kubectl", "-n", "registry", "set", "env", "deployment/registry",
    'REGISTRY_STORAGE_MAINTENANCE_READONLY={{"enabled":true}}',
  ],
  ["kubectl", "-n", "registry", "rollout", "status", "deployment/registry", "--timeout=300s"],
]
garbage-collect = [
  "kubectl", "-n", "registry", "exec", "deployment/registry", "--",
  "registry", "garbage-collect", "/etc/docker/registry/config.yml",
]
{_REDIS}read-only-off = [
  ["kubectl", "-n", "registry", "set", "env", "deployment/registry", "REGISTRY_STORAGE_MAINTENANCE_READONLY-"],
  ["kubectl", "-n", "registry", "rollout", "status", "deployment/registry", "--timeout=300s"],
]
{_SECONDS}""",
}
