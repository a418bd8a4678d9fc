"""What is fitted on drawn eyes once and then shipped: no stage of the pipeline runs it."""
