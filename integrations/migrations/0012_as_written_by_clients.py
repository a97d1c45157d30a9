"""What clients of the API wrote of an integration that nothing else keeps, to tell it back."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One column."""

    dependencies = [("integrations", "0011_ends_before_the_rest")]

    operations = [
        migrations.AddField(
            model_name="integration",
            name="as_written",
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
    ]
