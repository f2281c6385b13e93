namespace Concertina.Compute.Tests.Model.Gguf;

/// <summary>A sound llama model of one layer, small enough to damage at every byte.</summary>
internal static class TinyGguf
{
    public const int Vocabulary = 8;
    public const int Embedding = 32;
    public const int Hidden = 64;

    public static readonly string Hash = new('a', 64);

    private const uint F32 = 0;
    private const uint F16 = 1;
    private const uint Q80 = 8;

    public static GgufWriter Writer()
    {
        GgufWriter writer = new GgufWriter()
            .Add("general.architecture", "llama")
            .Add("general.name", "tiny")
            .Add("llama.context_length", 128u)
            .Add("llama.embedding_length", (uint)Embedding)
            .Add("llama.block_count", 1u)
            .Add("llama.feed_forward_length", (uint)Hidden)
            .Add("llama.attention.head_count", 2u)
            .Add("llama.attention.head_count_kv", 1u)
            .Add("llama.rope.freq_base", 10_000f)
            .Add("llama.attention.layer_norm_rms_epsilon", 1e-5f)
            .Add("tokenizer.ggml.model", "gpt2")
            .Add("tokenizer.ggml.pre", "qwen2")
            .Add("tokenizer.ggml.tokens", (string[])["<end>", "a", "b", "ab", "\"", "\\", "é", "\u0120t"])
            .Add("tokenizer.ggml.token_type", (int[])[3, 1, 1, 1, 1, 1, 1, 1])
            .Add("tokenizer.ggml.merges", (string[])["a b"])
            .Add("tokenizer.ggml.bos_token_id", 0u)
            .Add("tokenizer.ggml.add_bos_token", true)
            .Add("tokenizer.chat_template", "{{ x }}");
        Vector(writer, "output_norm.weight");
        Vector(writer, "blk.0.attn_norm.weight");
        Vector(writer, "blk.0.ffn_norm.weight");
        Q8(writer, "token_embd.weight", Embedding, Vocabulary);
        Q8(writer, "blk.0.attn_q.weight", Embedding, 32);
        Half(writer, "blk.0.attn_k.weight", Embedding, 16);
        Half(writer, "blk.0.attn_v.weight", Embedding, 16);
        Q8(writer, "blk.0.attn_output.weight", 32, Embedding);
        Q8(writer, "blk.0.ffn_gate.weight", Embedding, Hidden);
        Q8(writer, "blk.0.ffn_up.weight", Embedding, Hidden);
        Q8(writer, "blk.0.ffn_down.weight", Hidden, Embedding);
        return writer;
    }

    /// <summary>The same model with the keys of a retrofit.</summary>
    public static GgufWriter Retrofitted() => Writer()
        .Add("kvc.method", "dms")
        .Add("kvc.neuron", 15u)
        .Add("kvc.offset", 5f)
        .Add("kvc.scale", 1f)
        .Add("kvc.window", 128u)
        .Add("kvc.shift", 1u)
        .Add("kvc.sinks", 64u)
        .Add("kvc.target_cr", 4.5f)
        .Add("kvc.measured_cr", (float[])[3.5f])
        .Add("kvc.granularity", "head")
        .Add("kvc.base_sha256", Hash)
        .Add("kvc.rope_layout", "interleaved");

    public static void Vector(GgufWriter writer, string name) =>
        writer.Tensor(name, [Embedding], F32, new byte[Embedding * 4]);

    public static void Q8(GgufWriter writer, string name, int columns, int rows) =>
        writer.Tensor(name, [columns, rows], Q80, new byte[columns / 32 * 34 * rows]);

    public static void Half(GgufWriter writer, string name, int columns, int rows) =>
        writer.Tensor(name, [columns, rows], F16, new byte[columns * 2 * rows]);
}
