#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace pellucid::detail {

/// One line of a naming scheme: what another library calls a tensor, and what torchvision calls it.
///
/// In `from`, `{i}`, `{j}` and `{k}` stand for a number each, and `{*}` at the end for one last word, such as
/// `weight` or `running_mean`. `to` computes with them: `{2i+1}`.
struct Renaming {
  std::string_view from;
  std::string_view to;
  std::int64_t dimensions = 0;  ///< of torchvision's tensor, where only sizes of 1 at its end differ
};

/// A library's names for one kind of network. Its first line is the one that no other scheme has: a
/// checkpoint with a name of that form is of this scheme.
struct NamingScheme {
  std::string_view library;
  std::span<const Renaming> lines;
};

// In torchvision's ConvNeXt the stem is features.0, and what leads to stage i is features.{2i}.

inline constexpr Renaming original_convnext[] = {
    {"stages.{i}.{j}.dwconv.{*}", "features.{2i+1}.{j}.block.0.{*}"},
    {"stages.{i}.{j}.norm.{*}", "features.{2i+1}.{j}.block.2.{*}"},
    {"stages.{i}.{j}.pwconv1.{*}", "features.{2i+1}.{j}.block.3.{*}"},
    {"stages.{i}.{j}.pwconv2.{*}", "features.{2i+1}.{j}.block.5.{*}"},
    {"stages.{i}.{j}.gamma", "features.{2i+1}.{j}.layer_scale", 3},
    {"downsample_layers.{i}.{j}.{*}", "features.{2i}.{j}.{*}"},
    {"norm.{*}", "classifier.0.{*}"},
    {"head.{*}", "classifier.2.{*}"},
};

// The weights of its smaller networks' linear layers are those of convolutions of 1×1.
inline constexpr Renaming timm_convnext[] = {
    {"stages.{i}.blocks.{j}.conv_dw.{*}", "features.{2i+1}.{j}.block.0.{*}"},
    {"stages.{i}.blocks.{j}.norm.{*}", "features.{2i+1}.{j}.block.2.{*}"},
    {"stages.{i}.blocks.{j}.mlp.fc1.weight", "features.{2i+1}.{j}.block.3.weight", 2},
    {"stages.{i}.blocks.{j}.mlp.fc1.bias", "features.{2i+1}.{j}.block.3.bias"},
    {"stages.{i}.blocks.{j}.mlp.fc2.weight", "features.{2i+1}.{j}.block.5.weight", 2},
    {"stages.{i}.blocks.{j}.mlp.fc2.bias", "features.{2i+1}.{j}.block.5.bias"},
    {"stages.{i}.blocks.{j}.gamma", "features.{2i+1}.{j}.layer_scale", 3},
    {"stages.{i}.downsample.{j}.{*}", "features.{2i}.{j}.{*}"},
    {"stem.{j}.{*}", "features.0.{j}.{*}"},
    {"head.norm.{*}", "classifier.0.{*}"},
    {"head.fc.{*}", "classifier.2.{*}"},
};

inline constexpr Renaming hugging_face_convnext[] = {
    {"convnext.encoder.stages.{i}.layers.{j}.dwconv.{*}", "features.{2i+1}.{j}.block.0.{*}"},
    {"convnext.encoder.stages.{i}.layers.{j}.layernorm.{*}", "features.{2i+1}.{j}.block.2.{*}"},
    {"convnext.encoder.stages.{i}.layers.{j}.pwconv1.{*}", "features.{2i+1}.{j}.block.3.{*}"},
    {"convnext.encoder.stages.{i}.layers.{j}.pwconv2.{*}", "features.{2i+1}.{j}.block.5.{*}"},
    {"convnext.encoder.stages.{i}.layers.{j}.layer_scale_parameter", "features.{2i+1}.{j}.layer_scale", 3},
    {"convnext.encoder.stages.{i}.downsampling_layer.{j}.{*}", "features.{2i}.{j}.{*}"},
    {"convnext.embeddings.patch_embeddings.{*}", "features.0.0.{*}"},
    {"convnext.embeddings.layernorm.{*}", "features.0.1.{*}"},
    {"convnext.layernorm.{*}", "classifier.0.{*}"},
    {"classifier.{*}", "classifier.2.{*}"},
};

// A block of two convolutions (basic) or three (bottleneck), numbered from 0.
inline constexpr Renaming hugging_face_resnet[] = {
    {"resnet.encoder.stages.{i}.layers.{j}.layer.{k}.convolution.{*}", "layer{i+1}.{j}.conv{k+1}.{*}"},
    {"resnet.encoder.stages.{i}.layers.{j}.layer.{k}.normalization.{*}", "layer{i+1}.{j}.bn{k+1}.{*}"},
    {"resnet.encoder.stages.{i}.layers.{j}.shortcut.convolution.{*}", "layer{i+1}.{j}.downsample.0.{*}"},
    {"resnet.encoder.stages.{i}.layers.{j}.shortcut.normalization.{*}", "layer{i+1}.{j}.downsample.1.{*}"},
    {"resnet.embedder.embedder.convolution.{*}", "conv1.{*}"},
    {"resnet.embedder.embedder.normalization.{*}", "bn1.{*}"},
    {"classifier.1.{*}", "fc.{*}"},
};

/// timm's ResNet is not here: its names are torchvision's.
inline constexpr NamingScheme naming_schemes[] = {
    {"facebookresearch/ConvNeXt", original_convnext},
    {"timm", timm_convnext},
    {"Hugging Face", hugging_face_convnext},
    {"Hugging Face", hugging_face_resnet},
};

}  // namespace pellucid::detail
