"""The service: the champion behind HTTP. An adapter over irisline.inference.classifier; irisline never imports it."""
