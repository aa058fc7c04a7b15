// Opens the channels of a stack, calibrated in um, with its segmentation as a coloured overlay.
// Fiji: Plugins > Macros > Run..., choose this file, then the folder of a stack such as
// results/mouse1. Or: fiji -macro open_stack.ijm results/mouse1

folder = getArgument();
if (folder == "") folder = getDirectory("Folder of a stack, such as results/mouse1");
if (!endsWith(folder, File.separator)) folder = folder + File.separator;
kind = "nuclei";
if (!File.exists(folder + kind + "/segmentation.tif")) kind = "cells";
labels = folder + kind + "/segmentation.tif";
if (!File.exists(labels)) exit(folder + " has no segmentation: choose the folder of a stack");

setBatchMode(true);
open(labels);
rename("labels");
Stack.getStatistics(voxels, mean, min, max);
setMinAndMax(0, max);
run("3-3-2 RGB");
run("RGB Color");
channels = getFileList(folder + "channels");
for (i = 0; i < channels.length; i++) {
    raw = folder + "channels/" + channels[i] + "raw.tif";
    if (!File.exists(raw)) continue;
    open(raw);
    name = replace(channels[i], "/", "");
    rename(name);
    run("Enhance Contrast", "saturated=0.35");
    for (z = 1; z <= nSlices; z++) {
        selectImage("labels");
        setSlice(z);
        run("Duplicate...", "title=plane");
        selectImage(name);
        setSlice(z);
        run("Add Image...", "image=plane x=0 y=0 opacity=40 zero");
        Overlay.setPosition(z);
        selectImage("plane");
        close();
    }
    selectImage(name);
    setSlice(floor(nSlices / 2) + 1);
}
selectImage("labels");
close();
setBatchMode("exit and display");
