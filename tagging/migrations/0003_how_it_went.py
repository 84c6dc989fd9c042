from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tagging", "0002_begun_items"),
    ]

    operations = [
        migrations.AlterField(
            model_name="trashentry",
            name="how",
            field=models.CharField(
                choices=[
                    ("untagged", "its tag was deleted"),
                    ("digest", "its manifest was deleted"),
                    ("replaced", "its tag was pointed elsewhere"),
                    ("outside", "it was changed from outside, though it is protected"),
                ],
                max_length=16,
            ),
        ),
    ]
