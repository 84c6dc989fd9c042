"""What the files say by which clients know a registry."""

from __future__ import annotations

import json


def daemon_json(host: str) -> str:
    """Of Docker: `/etc/docker/daemon.json`."""
    return json.dumps({"insecure-registries": [host]}, indent=2)


def hosts_toml(host: str, *, plain_http: bool = False, client: bool = False) -> str:
    """Of containerd, in a folder that is called like the host; the paths in it count from that folder.

    Over https it names the authority, and with `client` the certificate by which the registry knows who asks.
    """
    address = f"{'http' if plain_http else 'https'}://{host}"
    lines = [f'server = "{address}"', "", f'[host."{address}"]', '  capabilities = ["pull", "resolve", "push"]']
    if not plain_http:
        lines.append('  ca = "ca.crt"')
    if client:
        lines.append('  client = [["client.cert", "client.key"]]')
    return "\n".join(lines)


def containerd_config(folder: str, *, generation: int) -> str:
    """Of containerd 1 or 2: where its CRI plugin, and so a kubelet and crictl, finds such folders."""
    plugin, version = ("io.containerd.grpc.v1.cri", 2) if generation == 1 else ("io.containerd.cri.v1.images", 3)
    return f"version = {version}\n\n[plugins.\"{plugin}\".registry]\n  config_path = '{folder}'"


def registries_conf(location: str) -> str:
    """Of Podman, skopeo and Buildah: a drop-in of `registries.conf.d`."""
    return f'[[registry]]\nlocation = "{location}"\ninsecure = true'


def credentials_store(helper: str) -> str:
    """Of Docker and nerdctl: `~/.docker/config.json`, so that a keyring keeps the password."""
    return json.dumps({"credsStore": helper}, indent=2)
