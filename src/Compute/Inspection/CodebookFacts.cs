using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.Profile;

namespace Concertina.Compute.Inspection;

/// <summary>The codebooks of one side of a profile.</summary>
/// <param name="Side">Keys or values.</param>
/// <param name="Levels">Codewords of a stage.</param>
/// <param name="Stages">Stages.</param>
/// <param name="Bytes">Bytes of all heads in the profile, means included.</param>
public sealed record CodebookFacts(string Side, int Levels, int Stages, long Bytes)
{
    /// <summary>The codebooks of a profile: keys and values, or nothing.</summary>
    public static IReadOnlyList<CodebookFacts> Of(KvProfile profile)
    {
        ArgumentNullException.ThrowIfNull(profile);
        if (profile.Books is not { } books)
        {
            return [];
        }
        var file = new SafeTensorsFile();
        BookTensors.Write(books, file);
        return [Of("keys", books.Keys[0].Layout, file), Of("values", books.Values[0].Layout, file)];
    }

    private static CodebookFacts Of(string side, BookLayout layout, SafeTensorsFile file) => new(
        side, layout.Levels, layout.Stages,
        file.Tensors.Where(tensor => tensor.Key.Contains($".{side}.", StringComparison.Ordinal)).Sum(tensor => (long)tensor.Value.Bytes.Length));
}
