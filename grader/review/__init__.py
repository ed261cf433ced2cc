"""The review page: a local web server on a batch's gradebook, where people score answers."""
