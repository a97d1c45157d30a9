"""What clients of the API said though it means the same unsaid, to tell it back."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One column."""

    dependencies = [("flows", "0007_drain_minutes")]

    operations = [
        migrations.AddField(
            model_name="accessflow",
            name="said",
            field=models.JSONField(blank=True, default=list, editable=False),
        ),
    ]
