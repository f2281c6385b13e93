using System.Text.Json;
using Concertina.Compute.Model;

namespace Concertina.Compute.Tests.Model.Gguf;

public sealed class ModelFileTests
{
    private const uint F32 = 0;

    /// <summary>What is broken, how, and what the message must say.</summary>
    public static IEnumerable<TheoryDataRow<string, Action<GgufWriter>, string[]>> Damages()
    {
        yield return Row("unknown architecture", w => w.Set("general.architecture", "mamba"), "'mamba'", "'llama'");
        yield return Row("no architecture", w => w.Remove("general.architecture"), "'general.architecture' is missing");
        yield return Row("version 1", w => w.Version = 1, "version 1");
        yield return Row("big-endian", w => w.Version = 0x0300_0000, "big-endian");
        yield return Row("missing tensor", w => w.RemoveTensor("blk.0.ffn_up.weight"), "'blk.0.ffn_up.weight' is missing");
        yield return Row("missing layer", w => w.Set("llama.block_count", 2u), "'blk.1.attn_norm.weight' is missing");
        yield return Row("foreign tensor", w => w.Tensor("blk.0.attn_q.bias", [32], F32, new byte[128]), "'blk.0.attn_q.bias'", "not part");
        yield return Row("wrong shape", w => TinyGguf.Q8(w, "blk.0.attn_q.weight", 32, 64), "'blk.0.attn_q.weight'", "32 x 64", "32 x 32");
        yield return Row("unknown tensor type", w => w.Tensor("blk.0.attn_q.weight", [32, 32], 12, new byte[4096]), "'blk.0.attn_q.weight'", "Q4_K", "Q8_0");
        yield return Row("half a block", w => w.Tensor("blk.0.attn_q.weight", [33, 32], 8, new byte[4096]), "'blk.0.attn_q.weight'", "33 columns");
        yield return Row("no dimensions", w => w.Tensor("blk.0.attn_q.weight", [], 8, new byte[4096]), "'blk.0.attn_q.weight'", "0 dimensions");
        yield return Row("five dimensions", w => w.Tensor("blk.0.attn_q.weight", [32, 1, 1, 1, 1], 8, new byte[4096]), "5 dimensions");
        yield return Row("zero length", w => w.Tensor("blk.0.attn_q.weight", [32, 0], 8, new byte[4096]), "dimension of 0");
        yield return Row("absurd length", w => w.Tensor("blk.0.attn_q.weight", [32, 1L << 50], 8, new byte[4096]), "dimension of 1125899906842624");
        yield return Row("absurd product", w => w.Tensor("blk.0.attn_q.weight", [int.MaxValue - 31, 1 << 30, 1 << 30], F32, new byte[64]), "'blk.0.attn_q.weight'");
        yield return Row("offset past the end", w => w.Offsets["blk.0.ffn_down.weight"] = 1L << 40, "'blk.0.ffn_down.weight'", "1099511627776");
        yield return Row("misaligned offset", w => w.Offsets["blk.0.ffn_down.weight"] = 33, "'blk.0.ffn_down.weight'", "offset 33", "alignment 32");
        yield return Row("overlap", w => w.Offsets["blk.0.ffn_norm.weight"] = 0, "overlap", "'output_norm.weight'");
        yield return Row("same tensor twice", w => w.DuplicateTensor("output_norm.weight", [32], F32, new byte[128]), "'output_norm.weight' occurs twice");
        yield return Row("same key twice", w => w.Add("general.name", "again"), "'general.name' occurs twice");
        yield return Row("odd alignment", w => w.Add("general.alignment", 48u), "48", "power of two");
        yield return Row("unknown value type", w => w.AddRaw("x", 13, []), "'x'", "value type 13");
        yield return Row("array of arrays", w => w.AddRaw("x", 9, [9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]), "'x'", "array of arrays");
        yield return Row("absurd array", w => w.AddRaw("x", 9, [5, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 127]), "array 'x'", "9223372036854775807");
        yield return Row("absurd string", w => w.AddRaw("x", 8, [255, 255, 255, 255, 255, 255, 255, 127]), "'x'", "9223372036854775807");
        yield return Row("absurd layers", w => w.Set("llama.block_count", uint.MaxValue), "'llama.block_count' is 4294967295");
        yield return Row("no heads", w => w.Set("llama.attention.head_count", 0u), "'llama.attention.head_count' is 0");
        yield return Row("uneven groups", w => w.Set("llama.attention.head_count_kv", 3u), "2 query heads and 3 KV heads");
        yield return Row("odd head", w => w.Add("llama.attention.key_length", 20u).Add("llama.attention.value_length", 20u), "20 channels");
        yield return Row("unequal heads", w => w.Add("llama.attention.key_length", 32u), "key length 32 and value length 16");
        yield return Row("negative epsilon", w => w.Set("llama.attention.layer_norm_rms_epsilon", -1f), "-1");
        yield return Row("NaN frequency", w => w.Set("llama.rope.freq_base", float.NaN), "'llama.rope.freq_base' is NaN");
        yield return Row("yarn", w => w.Add("llama.rope.scaling.type", "yarn"), "'yarn'");
        yield return Row("a factor without scaling", w => w.Add("llama.rope.scaling.type", "none").Add("llama.rope.scaling.factor", 2f), "'none'", "factor 2");
        yield return Row("an old factor without scaling", w => w.Add("llama.rope.scaling.type", "none").Add("llama.rope.scale_linear", 2f), "'none'", "factor 2");
        yield return Row("scaling without a factor", w => w.Add("llama.rope.scaling.type", "linear"), "'llama.rope.scaling.factor' is missing");
        yield return Row("experts", w => w.Add("llama.expert_count", 8u), "mixture of experts");
        yield return Row("text for a number", w => w.Set("llama.block_count", "1"), "'llama.block_count' is a String");
        yield return Row("vocabulary mismatch", w => w.Add("llama.vocab_size", 9u), "'llama.vocab_size' is 9", "8 rows");
        yield return Row("token count", w => w.Set("tokenizer.ggml.tokens", (string[])["a"]), "'tokenizer.ggml.tokens' has 1 entries", "8");
        yield return Row("token id", w => w.Set("tokenizer.ggml.bos_token_id", 8u), "'tokenizer.ggml.bos_token_id' is 8");
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public void A_damaged_or_foreign_file_is_refused_with_its_values(string what, Action<GgufWriter> damage, string[] message)
    {
        GgufWriter writer = TinyGguf.Writer();
        damage(writer);
        using TemporaryFile file = new(writer.ToArray());
        ModelFileException refusal = Assert.Throws<ModelFileException>(() => ModelFile.Open(file.Name).Dispose());
        Assert.StartsWith($"Model file '{file.Name}':", refusal.Message, StringComparison.Ordinal);
        Assert.All(message, part => Assert.True(refusal.Message.Contains(part, StringComparison.Ordinal), $"{what}: {refusal.Message}"));
    }

    [Fact]
    public void A_missing_an_empty_and_a_foreign_file_are_refused()
    {
        Assert.Throws<ModelFileException>(() => ModelFile.Open("/nowhere/model.gguf"));
        using TemporaryFile empty = new([]);
        Assert.Throws<ModelFileException>(() => ModelFile.Open(empty.Name));
        using TemporaryFile foreign = new("PK\u0003\u0004 something else entirely"u8);
        ModelFileException refusal = Assert.Throws<ModelFileException>(() => ModelFile.Open(foreign.Name));
        Assert.Contains("not a GGUF file", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_configuration_is_read_with_its_defaults()
    {
        using TemporaryFile file = new(TinyGguf.Writer().ToArray());
        using ModelFile model = ModelFile.Open(file.Name);
        Assert.Equal(
            new ModelConfig
            {
                Architecture = "llama",
                Name = "tiny",
                LayerCount = 1,
                EmbeddingLength = 32,
                FeedForwardLength = 64,
                QueryHeadCount = 2,
                KvHeadCount = 1,
                HeadDim = 16,
                RopeDim = 16,
                RopeBase = 10_000,
                RmsEpsilon = 1e-5f,
                VocabularySize = 8,
                ContextLength = 128,
                TiedHead = true,
            },
            model.Config);
        Assert.Equal((3 * 32) + (8 * 32) + (2 * 32 * 32) + (2 * 16 * 32) + (3 * 64 * 32), model.ParameterCount);
    }

    [Fact]
    public void Rope_scaling_is_read()
    {
        GgufWriter writer = TinyGguf.Writer().Add("llama.rope.scaling.type", "linear").Add("llama.rope.scaling.factor", 4f);
        float[] divisors = [1, 2, 3, 4, 5, 6, 7, 8];
        writer.Tensor("rope_freqs.weight", [8], F32, [.. divisors.SelectMany(BitConverter.GetBytes)]);
        using TemporaryFile file = new(writer.ToArray());
        using ModelFile model = ModelFile.Open(file.Name);
        Assert.Equal(4f, model.Config.RopeLinearFactor);
        Assert.Equal(divisors, model.RopeFrequencyDivisors.ToArray());
    }

    [Theory]
    [InlineData(null, null, 1f)]
    [InlineData(null, "llama.rope.scaling.factor", 4f)] // the factor alone means linear
    [InlineData(null, "llama.rope.scale_linear", 4f)]
    [InlineData("linear", "llama.rope.scaling.factor", 4f)]
    [InlineData("none", "llama.rope.scaling.factor", 1f)]
    [InlineData("none", null, 1f)]
    public void Rope_scaling_may_be_told_in_old_and_new_ways(string? type, string? key, float factor)
    {
        GgufWriter writer = TinyGguf.Writer();
        writer = type is null ? writer : writer.Add("llama.rope.scaling.type", type);
        writer = key is null ? writer : writer.Add(key, factor);
        using TemporaryFile file = new(writer.ToArray());
        using ModelFile model = ModelFile.Open(file.Name);
        Assert.Equal(factor, model.Config.RopeLinearFactor);
    }

    [Fact]
    public void Tokenizer_data_are_handed_on_as_json()
    {
        using TemporaryFile file = new(TinyGguf.Writer().ToArray());
        using ModelFile model = ModelFile.Open(file.Name);
        using JsonDocument json = JsonDocument.Parse(model.TokenizerBytes);
        JsonElement root = json.RootElement;
        Assert.Equal(1, root.GetProperty("format").GetInt32());
        Assert.Equal("gpt2", root.GetProperty("model").GetString());
        Assert.Equal("qwen2", root.GetProperty("pre").GetString());
        Assert.Equal(["<end>", "a", "b", "ab", "\"", "\\", "é", "\u0120t"], root.GetProperty("tokens").EnumerateArray().Select(t => t.GetString()));
        Assert.Equal([3, 1, 1, 1, 1, 1, 1, 1], root.GetProperty("types").EnumerateArray().Select(t => t.GetInt32()));
        Assert.Equal(["a b"], root.GetProperty("merges").EnumerateArray().Select(t => t.GetString()));
        Assert.Equal(JsonValueKind.Null, root.GetProperty("scores").ValueKind);
        Assert.Equal(0, root.GetProperty("bos").GetInt32());
        Assert.Equal(JsonValueKind.Null, root.GetProperty("eos").ValueKind);
        Assert.True(root.GetProperty("addBos").GetBoolean());
        Assert.False(root.GetProperty("addEos").GetBoolean());
        Assert.Equal("{{ x }}", root.GetProperty("chatTemplate").GetString());
    }

    [Fact]
    public void The_content_hash_depends_on_every_byte()
    {
        byte[] bytes = TinyGguf.Writer().ToArray();
        using TemporaryFile first = new(bytes);
        bytes[^1] ^= 1;
        using TemporaryFile second = new(bytes);
        using ModelFile one = ModelFile.Open(first.Name);
        using ModelFile two = ModelFile.Open(second.Name);
        Assert.Equal(64, one.ContentHash.Length);
        Assert.NotEqual(one.ContentHash, two.ContentHash);
    }

    private static TheoryDataRow<string, Action<GgufWriter>, string[]> Row(string what, Action<GgufWriter> damage, params string[] message) =>
        new(what, damage, message) { TestDisplayName = $"Refused: {what}" };
}
