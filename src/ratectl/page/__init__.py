"""The report page: the journal in, one HTML file out that holds everything it shows and asks no server."""
