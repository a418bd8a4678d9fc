"""The service: the champion behind HTTP. An adapter over irisline.model.classifier; irisline never imports it."""
