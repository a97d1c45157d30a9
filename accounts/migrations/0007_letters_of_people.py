"""Letters of second factors, invitations, and people nobody answers for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_delegation_and_outside_people"),
    ]

    operations = [
        migrations.AlterField(
            model_name="letter",
            name="kind",
            field=models.CharField(
                choices=[
                    ("approval", "A request waits for your approval"),
                    ("opened", "Access you asked for is active"),
                    ("refused", "Your request was rejected, lapsed or failed"),
                    ("ending", "Your access ends in ten minutes"),
                    ("ended", "Your access has ended"),
                    ("overdue", "An end is overdue"),
                    ("jobs", "A job of the timetable is late"),
                    ("report", "A report you asked for"),
                    ("security", "Your second factors changed"),
                    ("invitation", "You are invited"),
                    ("outside", "Nobody answers for people from outside any more"),
                ],
                max_length=20,
            ),
        ),
    ]
