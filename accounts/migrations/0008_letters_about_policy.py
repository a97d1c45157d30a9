"""Letters of changes that wait for a second yes, and of broken glass."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_letters_of_people"),
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
                    ("glass", "The glass was broken, or a review of it is owed"),
                    ("overdue", "An end is overdue"),
                    ("jobs", "A job of the timetable is late"),
                    ("report", "A report you asked for"),
                    ("security", "Your second factors changed"),
                    ("invitation", "You are invited"),
                    ("outside", "Nobody answers for people from outside any more"),
                    ("proposal", "A change of policy waits for a second yes"),
                ],
                max_length=20,
            ),
        ),
    ]
