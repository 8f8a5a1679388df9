"""Where moto finds this service: it imports the module named `urls` beside the backend's `models`."""

from .responses import NetworkManagerResponse

url_bases = [r"https?://networkmanager\.(.+)\.amazonaws\.com"]
# the operation is found by method and path in botocore's model, so one pattern is enough
url_paths = {"{0}/.*$": NetworkManagerResponse.dispatch}
