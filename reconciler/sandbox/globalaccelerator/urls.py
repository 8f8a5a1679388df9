"""Where moto finds this service: it imports the module named `urls` beside the backend's `models`."""

from .responses import GlobalAcceleratorResponse

url_bases = [r"https?://globalaccelerator\.(.+)\.amazonaws\.com"]
url_paths = {"{0}/$": GlobalAcceleratorResponse.dispatch}
