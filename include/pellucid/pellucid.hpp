#pragma once
/// All of Pellucid.

#include <pellucid/attack/methods/fgsm.hpp>
#include <pellucid/attribution/methods/deconvnet.hpp>
#include <pellucid/attribution/methods/grad_cam.hpp>
#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/attribution/methods/guided_backprop.hpp>
#include <pellucid/attribution/methods/input_x_gradient.hpp>
#include <pellucid/attribution/methods/integrated_gradients.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/attribution/methods/smoothgrad_squared.hpp>
#include <pellucid/attribution/methods/vargrad.hpp>
#include <pellucid/image/npy.hpp>
#include <pellucid/image/read.hpp>
#include <pellucid/image/write.hpp>
#include <pellucid/model/adapt.hpp>
#include <pellucid/model/predict.hpp>
#include <pellucid/model/script.hpp>
#include <pellucid/model/weights/load.hpp>
#include <pellucid/model/weights/safetensors.hpp>
#include <pellucid/objective/channel.hpp>
#include <pellucid/objective/cross_entropy.hpp>
#include <pellucid/objective/layer.hpp>
#include <pellucid/objective/neuron.hpp>
#include <pellucid/objective/top_class.hpp>
#include <pellucid/render/channel_grid.hpp>
#include <pellucid/render/stages.hpp>
