namespace Concertina.Compute.Model.Weights;

/// <summary>Names and shapes of the tensors of the <c>llama</c> architecture, as GGUF files name them.</summary>
internal static class LlamaTensors
{
    public const string Embedding = "token_embd.weight";
    public const string OutputNorm = "output_norm.weight";
    public const string Head = "output.weight";
    public const string RopeFrequencies = "rope_freqs.weight";

    public static string AttentionNorm(int layer) => $"blk.{layer}.attn_norm.weight";

    public static string Query(int layer) => $"blk.{layer}.attn_q.weight";

    public static string Key(int layer) => $"blk.{layer}.attn_k.weight";

    public static string Value(int layer) => $"blk.{layer}.attn_v.weight";

    public static string AttentionOutput(int layer) => $"blk.{layer}.attn_output.weight";

    public static string FeedForwardNorm(int layer) => $"blk.{layer}.ffn_norm.weight";

    public static string Gate(int layer) => $"blk.{layer}.ffn_gate.weight";

    public static string Up(int layer) => $"blk.{layer}.ffn_up.weight";

    public static string Down(int layer) => $"blk.{layer}.ffn_down.weight";

    /// <summary>Every tensor the model needs.</summary>
    public static IEnumerable<TensorShape> All(ModelConfig config)
    {
        int embedding = config.EmbeddingLength;
        int queries = config.QueryHeadCount * config.HeadDim;
        int keys = config.KvHeadCount * config.HeadDim;
        int hidden = config.FeedForwardLength;
        yield return new(Embedding, config.VocabularySize, embedding);
        yield return new(OutputNorm, 1, embedding);
        if (!config.TiedHead)
        {
            yield return new(Head, config.VocabularySize, embedding);
        }
        for (int layer = 0; layer < config.LayerCount; layer++)
        {
            yield return new(AttentionNorm(layer), 1, embedding);
            yield return new(Query(layer), queries, embedding);
            yield return new(Key(layer), keys, embedding);
            yield return new(Value(layer), keys, embedding);
            yield return new(AttentionOutput(layer), embedding, queries);
            yield return new(FeedForwardNorm(layer), 1, embedding);
            yield return new(Gate(layer), hidden, embedding);
            yield return new(Up(layer), hidden, embedding);
            yield return new(Down(layer), embedding, hidden);
        }
    }
}
