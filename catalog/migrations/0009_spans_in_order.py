from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_tags_of_a_name")]

    operations = [
        migrations.RemoveIndex("tagspan", "spans_by_beginning"),
        migrations.AddIndex("tagspan", models.Index(fields=["began", "id"], name="spans_by_beginning")),
        migrations.RemoveIndex("tagspan", "spans_by_end"),
        migrations.AddIndex(
            "tagspan",
            models.Index(fields=["ended", "id"], condition=models.Q(ended__isnull=False), name="spans_by_end"),
        ),
    ]
