// Encoders (BERT and its relatives): what their graphs have before, between and after the blocks
// that other architectures have not. They end with a vector per token or per text.
//
// Source: src/models/bert.cpp and build_pooling, build_dense_out in src/llama-graph.cpp of
// llama.cpp as of 2026-08.
#include "core/inference/llama_cpp/graph_builder.hpp"

namespace meyasu {

/// Adds the vectors of the token's kind (always the first) and of its position.
TensorId GraphBuilder::encoder_embeddings(TensorId x) {
  if (has(WeightName::token_types)) {
    const TensorId kinds = tensor_of(refs(WeightName::token_types).weight, request_.cpu);
    x = g_.add(x, g_.view_1d(kinds, n_embd_));
  }
  if (has(WeightName::position_embd)) {
    const std::int32_t table = refs(WeightName::position_embd).weight;
    x = g_.add(g_.get_rows(tensor_of(table, request_.cpu), positions_), x);
  }
  return x;
}

TensorId GraphBuilder::bert_block(TensorId x) {
  TensorId out = self_attention(x);
  prune({&out, &x});
  out = norm(g_.add(out, x), WeightName::attn_output_norm);
  if (has(WeightName::attn_norm_2)) out = norm(g_.add(out, x), WeightName::attn_norm_2);
  const TensorId middle = g_.labelled(out, GraphLabel::ffn_inp);
  out = g_.add(feed_forward(middle), middle);
  return norm(out, WeightName::layer_output_norm);
}

void GraphBuilder::encoder_head(TensorId x) {
  // BERT's blocks end with a norm; there is none after them.
  for (const WeightName name : {WeightName::output_norm, WeightName::enc_output_norm}) {
    if (has(name)) x = g_.labelled(norm(x, name), GraphLabel::result_norm);
  }
  g_[x].flags |= GraphTensor::kOutput;
  g_.expand(x);
  x = pool(x);
  g_.expand(x);
  if (has(WeightName::dense_2)) x = linear(WeightName::dense_2, x);
  if (has(WeightName::dense_3)) x = linear(WeightName::dense_3, x);
  g_.labelled(x, GraphLabel::result_norm);
  g_[x].flags |= GraphTensor::kOutput;
  g_.expand(x);
}

TensorId GraphBuilder::mean_of_tokens(TensorId x) {
  const TensorId shares =
      g_.input(GgmlType::F32, {request_.n_tokens, request_.n_seq, 1, 1}, GraphLabel::inp_out_ids);
  return g_.mul_mat(g_.cont(g_.transpose(x)), shares);
}

/// [E, U] -> a vector or a score per sequence, or as it is.
TensorId GraphBuilder::pool(TensorId x) {
  switch (model_.hparams.pooling) {
    case Pooling::none:
      return x;
    case Pooling::mean:
      return mean_of_tokens(x);
    case Pooling::rank:
      return classify(x);
    case Pooling::first_token:
    case Pooling::last_token:
      break;
  }
  const TensorId chosen =
      g_.input(GgmlType::I32, {request_.n_seq, 1, 1, 1}, GraphLabel::inp_out_ids);
  return g_.get_rows(x, chosen);
}

/// Rerankers: how well a text answers a question.
TensorId GraphBuilder::classify(TensorId x) {
  if (traits_.architecture == "modern-bert") {
    x = mean_of_tokens(x);
  } else {
    x = g_.get_rows(x, g_.input(GgmlType::I32, {request_.n_seq, 1, 1, 1}, GraphLabel::inp_out_ids));
  }
  if (has(WeightName::cls)) {
    x = g_.unary(linear(WeightName::cls, x));
    if (has(WeightName::cls_norm)) x = norm(x, WeightName::cls_norm);
  }
  return has(WeightName::cls_output) ? linear(WeightName::cls_output, x) : x;
}

}  // namespace meyasu
