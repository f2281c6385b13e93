using System.Globalization;
using Concertina.Compute.Inspection;
using Concertina.Compute.KvCache;
using Concertina.Compute.Profile;
using Concertina.Silo.Options;

namespace Concertina.Cli.Inspecting;

/// <summary>A KV profile in lines for the terminal.</summary>
internal static class ProfileReport
{
    /// <param name="path">Its file.</param>
    /// <param name="profile">The profile, which reading has checked.</param>
    public static IEnumerable<string> Lines(string path, KvProfile profile) => [.. Facts(path, profile), "", .. Rungs(profile)];

    private static IEnumerable<string> Facts(string path, KvProfile profile)
    {
        KvShape shape = profile.Shape;
        yield return Text($"KV profile       {Path.GetFileName(path)}, {ByteSize.Format(new FileInfo(path).Length)}, version {KvProfile.FormatVersion}");
        yield return "intact           yes: its SHA-256 is that of its content";
        yield return $"model hash       {profile.ModelHash}";
        yield return Text($"shape            {shape.LayerCount} layers, {shape.KvHeadCount} KV heads with {shape.GroupSize} query heads each, of {shape.HeadDim} channels");
        yield return Text($"calibrated on    {profile.Calibration.TrainingTokens:N0} tokens, seed {profile.Calibration.Seed}; rungs measured on {profile.Calibration.MeasuredTokens:N0} others");
        yield return $"text hash        {profile.Calibration.TextHash}";
        IReadOnlyList<CodebookFacts> books = CodebookFacts.Of(profile);
        foreach (CodebookFacts book in books)
        {
            yield return Text($"codebooks        {book.Side}: {book.Stages} stages of {book.Levels} levels a head, {ByteSize.Format(book.Bytes)}");
        }
        if (books.Count == 0)
        {
            yield return "codebooks        none";
        }
    }

    private static IEnumerable<string> Rungs(KvProfile profile)
    {
        yield return "rung             bytes/token at 2K       8K   mean KL    p99 KL  recall   attend ns  encode ns  ladder";
        foreach (RungMeasure rung in profile.Rungs)
        {
            string recall = rung.Recall is { } share ? Text($"{100 * share,4:F1} %") : "     -";
            yield return Text(
                $"{rung.Name,-15}  {rung.BytesPerToken2K,17:F1}  {rung.BytesPerToken8K,7:F1}  {rung.MeanKl,8:G3}  {rung.P99Kl,8:G3}  {recall}  {rung.AttendNs,10:F1} {rung.EncodeNs,10:F0}  {(rung.OnLadder ? "yes" : "no")}");
        }
        yield return "Times are nanoseconds per token and KV head on the machine that measured.";
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
