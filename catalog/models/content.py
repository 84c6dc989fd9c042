"""What is true of content wherever it lies: by digest, read once, for ever.

A key that stands first in a constraint of its table has no index of its own: a scan writes millions of these rows.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

DIGEST_LENGTH = 135  # "sha512:" and 128 hex digits


class Blob(models.Model):
    """A layer or a config. Its size is what the first manifest that names it said."""

    digest = models.CharField(max_length=DIGEST_LENGTH, unique=True)
    size = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(size__gte=0), name="a_blob_has_a_size")]

    def __str__(self) -> str:
        return self.digest


class Manifest(models.Model):
    class Kind(models.TextChoices):
        """What a manifest is, in the words of the pages."""

        IMAGE = "image", _("Image")
        INDEX = "index", _("Image index")
        CHART = "chart", _("Helm chart")
        SIGNATURE = "signature", _("Signature")
        ATTESTATION = "attestation", _("Attestation")
        SBOM = "sbom", _("SBOM")
        ARTIFACT = "artifact", _("Artifact")
        SCHEMA1 = "schema1", _("Image, schema 1")
        MALFORMED = "malformed", _("Unreadable")

    class ConfigState(models.TextChoices):
        NONE = "none", _("Has none")  # an index, or an artifact whose config is no image config
        UNREAD = "unread", _("Not read yet")
        READ = "read", _("Read")
        MALFORMED = "malformed", _("No image config")

    digest = models.CharField(max_length=DIGEST_LENGTH, unique=True)
    media_type = models.CharField(max_length=255)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    artifact_type = models.CharField(max_length=255, blank=True)
    document_size = models.PositiveIntegerField()  # bytes of the manifest itself
    size = models.PositiveBigIntegerField(default=0)  # bytes a client pulls: config and layers, each once; an index: 0
    layer_count = models.PositiveIntegerField(default=0)
    subject = models.CharField(max_length=DIGEST_LENGTH, blank=True)  # what it is attached to
    problem = models.TextField(blank=True)  # why the document cannot be used, if so
    facets = models.BigIntegerField(default=0)  # its kind and platforms, `catalog.facets`
    layers_key = models.BigIntegerField(default=0)  # equal for equal layers in their order, `catalog.layers_keys`

    config = models.ForeignKey(Blob, models.PROTECT, null=True, blank=True, related_name="configured_manifests")
    config_state = models.CharField(max_length=16, choices=ConfigState.choices, default=ConfigState.NONE)
    config_problem = models.TextField(blank=True)
    # From the config, empty until it was read:
    os = models.CharField(max_length=64, blank=True)
    architecture = models.CharField(max_length=64, blank=True)
    variant = models.CharField(max_length=64, blank=True)
    created = models.DateTimeField(null=True, blank=True)  # None: not said, or a fixed date of a reproducible build

    class Meta:
        indexes = [
            models.Index(fields=["subject"], condition=~Q(subject=""), name="manifests_by_subject"),
            models.Index(fields=["id"], condition=Q(config_state="unread"), name="manifests_with_unread_config"),
            models.Index(fields=["config"], name="manifests_by_config"),
            models.Index(fields=["layers_key"], condition=~Q(layers_key=0), name="manifests_by_layers"),
            models.Index(fields=["artifact_type"], condition=~Q(artifact_type=""), name="manifests_by_artifact_type"),
        ]

    def __str__(self) -> str:
        return self.digest

    @property
    def platform(self) -> str:
        """`linux/arm64/v8`, or "" while it is not known."""
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


class Document(models.Model):
    """The raw bytes of a manifest, zlib-compressed, apart so that lists never drag them along."""

    manifest = models.OneToOneField(Manifest, models.CASCADE, primary_key=True, related_name="document")
    compressed = models.BinaryField()

    def __str__(self) -> str:
        return f"document of {self.manifest_id}"


class ConfigDocument(models.Model):
    """The raw bytes of a config, zlib-compressed. Read once by digest: it costs the registry most."""

    blob = models.OneToOneField(Blob, models.CASCADE, primary_key=True, related_name="config_document")
    compressed = models.BinaryField()

    def __str__(self) -> str:
        return f"config {self.blob_id}"


class LabelName(models.Model):
    """The name of labels and annotations, once."""

    name = models.CharField(max_length=255, unique=True)

    def __str__(self) -> str:
        return self.name


class Label(models.Model):
    """A label of an image's config, or an annotation of a manifest, where search finds it; the value may be cut."""

    manifest = models.ForeignKey(Manifest, models.CASCADE, related_name="labels", db_index=False)
    name = models.ForeignKey(LabelName, models.PROTECT, related_name="labels", db_index=False)
    value = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["manifest", "name"], name="one_label_of_a_name"),
        ]
        indexes = [
            models.Index(
                fields=["value", "name"], name="labels_by_value", opclasses=["varchar_pattern_ops", "int8_ops"]
            ),
            models.Index(
                fields=["name", "value"], name="labels_of_a_name", opclasses=["int8_ops", "varchar_pattern_ops"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.manifest_id} {self.name_id}={self.value}"


class ManifestBlob(models.Model):
    """Position 0 is the config, 1 and on are the layers in their order; a layer may be listed twice."""

    manifest = models.ForeignKey(Manifest, models.CASCADE, related_name="manifest_blobs", db_index=False)
    position = models.PositiveIntegerField()
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="manifest_blobs")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["manifest", "position"], name="one_blob_at_a_position"),
        ]

    def __str__(self) -> str:
        return f"{self.manifest_id}[{self.position}]"


class IndexEntry(models.Model):
    """One descriptor of an index. `child` is None while no registry has shown us that manifest."""

    class Role(models.TextChoices):
        PLATFORM = "platform", _("Platform")
        ATTESTATION = "attestation", _("Attestation")
        OTHER = "other", _("Other")

    index = models.ForeignKey(Manifest, models.CASCADE, related_name="entries", db_index=False)
    position = models.PositiveIntegerField()
    digest = models.CharField(max_length=DIGEST_LENGTH)
    child = models.ForeignKey(Manifest, models.SET_NULL, null=True, blank=True, related_name="listed_in")
    media_type = models.CharField(max_length=255)
    document_size = models.PositiveBigIntegerField()
    role = models.CharField(max_length=16, choices=Role.choices)
    os = models.CharField(max_length=64, blank=True)
    architecture = models.CharField(max_length=64, blank=True)
    variant = models.CharField(max_length=64, blank=True)
    os_version = models.CharField(max_length=64, blank=True)
    attests = models.CharField(max_length=DIGEST_LENGTH, blank=True)  # the digest that an attestation is about

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["index", "position"], name="one_entry_at_a_position"),
        ]
        indexes = [
            models.Index(fields=["digest"], condition=Q(child=None), name="entries_without_child"),
        ]

    def __str__(self) -> str:
        return f"{self.index_id}[{self.position}] {self.digest}"

    @property
    def platform(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)
