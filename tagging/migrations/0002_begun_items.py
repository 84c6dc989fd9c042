from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tagging", "0001_initial"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="planitem",
            index=models.Index(condition=models.Q(("state", "begun")), fields=["repository"], name="begun_items"),
        ),
    ]
