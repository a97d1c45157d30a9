"""A tag may name the owner of a resource."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0006_secret_stores"),
    ]

    operations = [
        migrations.AddField(
            model_name="integration",
            name="owner_tag_key",
            field=models.CharField(blank=True, help_text="The tag that names a resource’s owner.", max_length=200),
        ),
        migrations.AddField(
            model_name="integration",
            name="owner_tag_type",
            field=models.CharField(
                blank=True,
                default="group",
                help_text="What the tag’s value is: group, user, or an attribute.",
                max_length=100,
            ),
        ),
    ]
