"""The grid of runs, their schedule, and the results page that is written from their files."""
