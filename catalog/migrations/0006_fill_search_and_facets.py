"""What scans write from now on, for the rows that are there: an unchanged repository is not written again."""

import zlib

from django.db import migrations

from catalog import facets, search_index
from catalog.labels import searchable
from catalog.layers_keys import layers_key
from catalog.versions import tag_key
from oci.config import summarise
from oci.errors import BadAnswer
from oci.model import ImageIndex, ImageManifest, parse_manifest

_ROWS = 1_000


def _platform(row):
    return "/".join(part for part in (row.os, row.architecture, row.variant) if part)


def _pieces(rows):
    """In order of their keys, some at a time."""
    last = -1
    while piece := list(rows.filter(pk__gt=last).order_by("pk")[:_ROWS]):
        yield piece
        last = piece[-1].pk


def fill_tags(apps, schema_editor):
    tags = apps.get_model("catalog", "Tag")
    for piece in _pieces(tags.objects.only("name", "key")):
        for tag in piece:
            tag.key = tag_key(tag.name)
        tags.objects.bulk_update(piece, ["key"], batch_size=200)


def fill_manifests(apps, schema_editor):
    manifests = apps.get_model("catalog", "Manifest")
    entries = apps.get_model("catalog", "IndexEntry")
    for piece in _pieces(manifests.objects.all()):
        platforms = {manifest.pk: [_platform(manifest)] for manifest in piece}
        for entry in entries.objects.filter(index__in=platforms, role="platform").select_related("child"):
            platforms[entry.index_id].append(_platform(entry) or (_platform(entry.child) if entry.child else ""))
        for manifest in piece:
            manifest.facets = facets.of_kind(manifest.kind) | facets.of_platforms(platforms[manifest.pk])
        manifests.objects.bulk_update(piece, ["facets"], batch_size=200)


def fill_presences(apps, schema_editor):
    presences, tags = apps.get_model("catalog", "Presence"), apps.get_model("catalog", "Tag")
    for piece in _pieces(presences.objects.select_related("manifest")):
        names = {presence.pk: [] for presence in piece}
        for pk, name in tags.objects.filter(presence__in=names, gone_at=None).values_list("presence_id", "name"):
            names[pk].append(name)
        for presence in piece:
            presence.lead_key = tag_key(presence.lead_tag) if presence.lead_tag else b""
            presence.facets = presence.manifest.facets | facets.of_tags(names[presence.pk])
        presences.objects.bulk_update(piece, ["lead_key", "facets"], batch_size=200)


def fill_repositories(apps, schema_editor):
    repositories, presences = apps.get_model("catalog", "Repository"), apps.get_model("catalog", "Presence")
    for piece in _pieces(repositories.objects.only("facets")):
        rows = {row.pk: row for row in piece}
        tagged = presences.objects.filter(repository__in=rows, tag_count__gt=0)
        for pk, some in tagged.order_by().values_list("repository_id", "facets").distinct():
            rows[pk].facets |= some
        repositories.objects.bulk_update(piece, ["facets"], batch_size=200)


def fill_from_documents(apps, schema_editor):
    """Labels, and the keys of layers, from the bytes that are kept."""
    documents, configs = apps.get_model("catalog", "Document"), apps.get_model("catalog", "ConfigDocument")
    manifests = apps.get_model("catalog", "Manifest")
    for piece in _pieces(documents.objects.select_related("manifest")):
        keyed, labels = [], []
        for document in piece:
            manifest = document.manifest
            try:
                value = parse_manifest(manifest.media_type, zlib.decompress(document.compressed))
            except BadAnswer:
                continue
            if isinstance(value, ImageManifest) and manifest.kind == "image":
                manifest.layers_key = layers_key(str(layer.digest) for layer in value.layers)
                keyed.append(manifest)
            if isinstance(value, ImageManifest | ImageIndex):
                labels += [(manifest.pk, *label) for label in searchable(value.annotations.items())]
        manifests.objects.bulk_update(keyed, ["layers_key"], batch_size=200)
        _label(apps, labels)
    for piece in _pieces(configs.objects.all()):
        said = {}
        for config in piece:
            try:
                said[config.pk] = searchable(summarise(zlib.decompress(config.compressed)).labels.items())
            except BadAnswer:
                continue
        users = manifests.objects.filter(config__in=said, config_state="read").values_list("pk", "config_id")
        _label(apps, [(pk, *label) for pk, config in users for label in said[config]])


def _label(apps, labels):
    names, rows = apps.get_model("catalog", "LabelName"), apps.get_model("catalog", "Label")
    names.objects.bulk_create([names(name=name) for name in {name for _, name, _ in labels}], ignore_conflicts=True)
    ids = dict(names.objects.filter(name__in={name for _, name, _ in labels}).values_list("name", "pk"))
    rows.objects.bulk_create(
        [rows(manifest_id=pk, name_id=ids[name], value=value) for pk, name, value in labels], ignore_conflicts=True
    )


def prepare_search(apps, schema_editor):
    search_index.prepare(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0005_search_and_facets")]
    operations = [
        migrations.RunSQL(
            "UPDATE catalog_tagspan SET repository_id ="
            " (SELECT repository_id FROM catalog_tag WHERE catalog_tag.id = catalog_tagspan.tag_id)",
            migrations.RunSQL.noop,
        ),
        *(migrations.RunPython(step, migrations.RunPython.noop)
        for step in (fill_tags, fill_manifests, fill_presences, fill_repositories, fill_from_documents, prepare_search)),
    ]
