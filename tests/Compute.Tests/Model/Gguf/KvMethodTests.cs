using Concertina.Compute.Model;

namespace Concertina.Compute.Tests.Model.Gguf;

/// <summary>The <c>kvc.*</c> keys of retrofitted models.</summary>
public sealed class KvMethodTests
{
    /// <summary>What is broken, how, and what the message must say.</summary>
    public static IEnumerable<TheoryDataRow<string, Action<GgufWriter>, string[]>> Damages()
    {
        yield return Row("no method", w => w.Remove("kvc.method"), "'kvc.neuron' is there", "'kvc.method' is missing");
        yield return Row("unknown method", w => w.Set("kvc.method", "magic"), "'kvc.method' is 'magic'", "'dms'");
        yield return Row("merging", w => w.Set("kvc.method", "dmc"), "'dmc'", "not supported yet", "'dms'");
        yield return Row("merging by layer", w => w.Set("kvc.method", "dmc-c"), "'dmc-c'", "not supported yet");
        yield return Row("no neuron", w => w.Remove("kvc.neuron"), "'kvc.neuron' is missing");
        yield return Row("neuron beyond the head", w => w.Set("kvc.neuron", 16u), "'kvc.neuron' is 16", "0 to 15");
        yield return Row("negative neuron", w => w.Set("kvc.neuron", -1), "'kvc.neuron' is -1");
        yield return Row("neuron by an unknown word", w => w.Set("kvc.neuron", "middle"), "'kvc.neuron' is 'middle'", "'first'");
        yield return Row("no window", w => w.Remove("kvc.window"), "'kvc.window' is missing");
        yield return Row("window of nothing", w => w.Set("kvc.window", 0u), "'kvc.window' is 0", "1 to");
        yield return Row("zero offset", w => w.Set("kvc.offset", 0f), "'kvc.offset' is 0");
        yield return Row("infinite scale", w => w.Set("kvc.scale", float.PositiveInfinity), "'kvc.scale'", "finite");
        yield return Row("no shift", w => w.Set("kvc.shift", 0u), "'kvc.shift' is 0", "1 to 1");
        yield return Row("negative sinks", w => w.Set("kvc.sinks", -1), "'kvc.sinks' is -1");
        yield return Row("target below 1", w => w.Set("kvc.target_cr", 0.5f), "'kvc.target_cr' is 0.5", "at least 1");
        yield return Row("too few ratios", w => w.Set("kvc.measured_cr", Array.Empty<float>()), "'kvc.measured_cr' has 0 entries", "expected 1");
        yield return Row("a ratio below 1", w => w.Set("kvc.measured_cr", (float[])[0.9f]), "layer 0, KV head 0", "0.9");
        yield return Row("a ratio that is no number", w => w.Set("kvc.measured_cr", (float[])[float.NaN]), "NaN");
        yield return Row("ratios of another type", w => w.Set("kvc.measured_cr", (int[])[2]), "'kvc.measured_cr'", "Float32");
        yield return Row("decisions by layer", w => w.Set("kvc.granularity", "layer"), "'kvc.granularity' is 'layer'", "'head'");
        yield return Row("half-split channels", w => w.Set("kvc.rope_layout", "half"), "'kvc.rope_layout' is 'half'", "'interleaved'");
        yield return Row("no layout", w => w.Remove("kvc.rope_layout"), "'kvc.rope_layout' is missing");
        yield return Row("short hash", w => w.Set("kvc.base_sha256", "abc"), "'kvc.base_sha256' is 'abc'", "64");
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public void A_method_that_cannot_be_followed_is_refused_with_its_values(string what, Action<GgufWriter> damage, string[] message)
    {
        GgufWriter writer = TinyGguf.Retrofitted();
        damage(writer);
        using TemporaryFile file = new(writer.ToArray());
        ModelFileException refusal = Assert.Throws<ModelFileException>(() => ModelFile.Open(file.Name).Dispose());
        Assert.All(message, part => Assert.True(refusal.Message.Contains(part, StringComparison.Ordinal), $"{what}: {refusal.Message}"));
    }

    [Fact]
    public void The_method_is_read()
    {
        KvMethod method = Read(TinyGguf.Retrofitted())!;
        Assert.Equal((KvMethod.Dms, 15, 5f, 1f), (method.Name, method.Neuron, method.Offset, method.Scale));
        Assert.Equal((128, 1, 64, 4.5f), (method.Window, method.Shift, method.Sinks, method.TargetRatio));
        Assert.Equal([3.5f], method.MeasuredRatios);
        Assert.Equal(TinyGguf.Hash, method.BaseHash);
    }

    [Theory]
    [InlineData("first", 0)]
    [InlineData("last", 15)]
    public void The_neuron_may_be_named(string word, int neuron) =>
        Assert.Equal(neuron, Read(TinyGguf.Retrofitted().Set("kvc.neuron", word))!.Neuron);

    [Fact]
    public void Without_the_key_nothing_is_spared() => Assert.Equal(0, Read(TinyGguf.Retrofitted().Remove("kvc.sinks"))!.Sinks);

    [Fact]
    public void An_ordinary_model_has_no_method() => Assert.Null(Read(TinyGguf.Writer()));

    private static KvMethod? Read(GgufWriter writer)
    {
        using TemporaryFile file = new(writer.ToArray());
        using ModelFile model = ModelFile.Open(file.Name);
        return model.Config.KvMethod;
    }

    private static TheoryDataRow<string, Action<GgufWriter>, string[]> Row(string what, Action<GgufWriter> damage, params string[] message) =>
        new(what, damage, message) { TestDisplayName = $"Refused: {what}" };
}
