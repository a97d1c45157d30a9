"""Ends come before the rest in the index that leasing walks, and what is due longest within both."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0010_fair_leasing"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="order",
            name="integrations_order_turn",
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("state", "queued")),
                fields=["integration", "-ends", "next_try_at", "created_at"],
                name="integrations_order_turn",
            ),
        ),
    ]
