"""The lab: how every published model is trained and every published figure is measured.

python -m helpers.lab list | train NAME | measure APPLICATION | report
"""
