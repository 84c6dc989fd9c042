"""What stands in pages and is the same in every language, each with its reason; all else is marked for translation."""

from __future__ import annotations

from typing import Final

UNTRANSLATED: Final[dict[str, str]] = {
    "Berth": "the name of the product",
    "docker": "the name of a program",
    "podman": "the name of a program",
    "nerdctl": "the name of a program",
    "containerd": "the name of a program",
    "skopeo": "the name of a program",
    "crane": "the name of a program",
    "crictl": "the name of a program",
    "oras": "the name of a program",
    "helm": "the name of a program",
    "Docker": "the name of a product",
    "Podman": "the name of a product",
    "Helm": "the name of a product",
    "Kubernetes": "the name of a product",
    "Compose": "the name of a product",
    "Docker Compose": "the name of a product",
    "Linux": "the name of a system",
    "macOS": "the name of a system",
    "Windows": "the name of a system",
    "English": "a language is called by its own name",
    "한국어": "a language is called by its own name",
    "UTC": "the sign of a time zone",
    "API": "the abbreviation is the word in every language",
    "JSON": "the name of a format",
    "JSON Lines": "the name of a format",
    "CSV": "the name of a format",
    "README": "the name of a file",
    "Markdown": "the name of a format",
    "Dockerfile": "the name of a file",
    "SBOM": "the abbreviation is the word in every language",
    "OCI": "the abbreviation is the word in every language",
}
