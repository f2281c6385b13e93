using System.Globalization;
using Concertina.Compute.Inspection;
using Concertina.Compute.Model;
using Concertina.Silo.Options;

namespace Concertina.Cli.Inspecting;

/// <summary>A model in lines for the terminal.</summary>
/// <param name="model">The model.</param>
/// <param name="profile">What to say of its profile.</param>
/// <param name="cache">What its cache takes.</param>
internal sealed class ModelReport(ModelFile model, string profile, CacheInspection cache)
{
    /// <summary>Lengths of sequences that bytes are shown for; a shorter context takes the place of a longer one.</summary>
    public static readonly int[] Lengths = [2048, 8192];

    public IEnumerable<string> Lines() => [.. Facts(), "", .. Rungs(), "", .. Machine()];

    private IEnumerable<string> Facts()
    {
        ModelConfig shape = model.Config;
        yield return $"model            {shape.Name}";
        yield return $"architecture     {shape.Architecture}";
        yield return Text($"layers           {shape.LayerCount}");
        yield return Text($"heads            {shape.QueryHeadCount} for queries, {shape.KvHeadCount} for keys and values, of {shape.HeadDim} channels");
        yield return Text($"widths           {shape.EmbeddingLength:N0} embedding, {shape.FeedForwardLength:N0} feed-forward");
        yield return Text($"context          {shape.ContextLength:N0} tokens");
        yield return Text($"vocabulary       {shape.VocabularySize:N0} tokens");
        yield return Text($"parameters       {model.ParameterCount:N0}");
        foreach (WeightFacts weights in WeightFacts.Of(model))
        {
            yield return Text($"weights          {weights.Format}: {weights.TensorCount} tensors, {weights.ElementCount:N0} numbers, {ByteSize.Format(weights.Bytes)}");
        }
        yield return $"content hash     {model.ContentHash}";
        yield return Text($"KV, lossless     {cache.LosslessBytesPerToken:N0} bytes/token of keys and values");
        yield return $"KV profile       {profile}";
    }

    private IEnumerable<string> Rungs()
    {
        string lengths = string.Concat(cache.Rungs[0].Lengths.Select(length => Text($"  | {length.Tokens,5} tokens: bytes/token   ratio  sessions/GiB")));
        yield return $"rung           {lengths}  |  mean KL  recall  ladder";
        foreach (RungInspection rung in cache.Rungs)
        {
            string bytes = string.Concat(rung.Lengths.Select(length =>
                Text($"  | {length.BytesPerToken,25:F1}  {length.Ratio,6:F2}  {length.SessionsPerGib,12:F1}")));
            string kl = rung.Facts.MeanKl is { } nats ? Text($"{nats,7:G3}") : "      -";
            string recall = rung.Facts.Recall is { } share ? Text($"{100 * share,4:F1} %") : "     -";
            yield return $"{rung.Facts.Name,-15}{bytes}  |  {kl}  {recall}  {(rung.OnLadder ? "yes" : "no")}";
        }
        yield return "Bytes are the most a sequence settles at, exact pages and page lists included; sessions are what a cache of 1 GiB can promise.";
    }

    private static IEnumerable<string> Machine()
    {
        MachineFacts machine = MachineFacts.Here;
        yield return $"kernels          attention {machine.Attention}, matrices {machine.Matrices}";
        yield return $"instructions     AVX2 {Has(machine.Avx2)}, AVX-VNNI {Has(machine.AvxVnni)}, AVX-512 {Has(machine.Avx512)}";
    }

    private static string Has(bool supported) => supported ? "yes" : "no";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
