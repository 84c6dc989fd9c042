from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0002_scan_at_scale'),
    ]

    operations = [
        migrations.AddField(
            model_name='repository',
            name='is_settled',
            field=models.BooleanField(default=True),
        ),
    ]
