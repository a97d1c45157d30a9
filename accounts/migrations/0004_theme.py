"""How pages look to a person."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the theme."""

    dependencies = [
        ("accounts", "0003_letters"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="theme",
            field=models.CharField(
                blank=True,
                choices=[("", "System"), ("light", "Light"), ("dark", "Dark")],
                default="",
                editable=False,
                max_length=5,
            ),
        ),
    ]
