"""Extensions become part of what people write; how often and how long go together."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("flows", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="accessflow",
            name="max_extensions",
            field=models.PositiveIntegerField(default=0, help_text="How often access may be extended."),
        ),
        migrations.AlterField(
            model_name="accessflow",
            name="extension_minutes",
            field=models.PositiveIntegerField(default=0, help_text="By how much each time."),
        ),
        migrations.AddConstraint(
            model_name="accessflow",
            constraint=models.CheckConstraint(
                condition=models.Q(("extension_minutes", 0), ("max_extensions", 0))
                | models.Q(("extension_minutes__gte", 1), ("indefinite", False), ("max_extensions__gte", 1)),
                name="flows_flow_extensions_whole",
            ),
        ),
    ]
