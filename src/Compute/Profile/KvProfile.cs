using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Codecs.XQuant;
using Concertina.Compute.KvCache.Rungs;

namespace Concertina.Compute.Profile;

/// <summary>
/// What calibration found out about a model: trained codebooks, and per rung bytes, distortion, recall and speed. A
/// safetensors file, by custom <c>MODEL.kvprofile.safetensors</c> beside the model.
/// </summary>
public sealed class KvProfile
{
    /// <summary>Version of the form; another one is refused.</summary>
    public const int FormatVersion = 1;

    /// <summary>End of the file's name, behind the model's without its extension.</summary>
    public const string FileSuffix = ".kvprofile.safetensors";

    private const int MostFileBytes = 1 << 30;

    /// <summary>Content hash of the model's file, hexadecimal.</summary>
    public required string ModelHash { get; init; }

    /// <summary>SHA-256 of what it was read from, hexadecimal; empty for one that was made here.</summary>
    public string ContentDigest { get; init; } = "";

    /// <summary>Shape of the model's cache.</summary>
    public required KvShape Shape { get; init; }

    /// <summary>What it was calibrated on.</summary>
    public required CalibrationFacts Calibration { get; init; }

    /// <summary>Measured rungs, lossless first, shallow to deep.</summary>
    public required IReadOnlyList<RungMeasure> Rungs { get; init; }

    /// <summary>CommVQ codebooks, or null.</summary>
    internal CommVqBooks? Books { get; init; }

    /// <summary>What pages of the calibration text lose with <see cref="Books"/>, or null.</summary>
    internal CommVqResiduals? Residuals { get; init; }

    /// <summary>Codebooks of arms that were trained for comparison, by name; profiles for serving have none.</summary>
    internal IReadOnlyDictionary<string, CommVqBooks> ArmBooks { get; init; } = new Dictionary<string, CommVqBooks>();

    /// <summary>XQuant's latent maps of every layer, or null.</summary>
    internal IReadOnlyList<LayerLatents>? Latents { get; init; }

    /// <summary>True when the profile has CommVQ codebooks.</summary>
    public bool HasCommVq => Books is not null;

    /// <summary>True when the profile has XQuant's latent maps.</summary>
    public bool HasXQuant => Latents is not null;

    /// <summary>Whether it has the data that a rung needs.</summary>
    public bool Serves(Rung rung) => (HasCommVq || !RungCatalog.NeedsBooks(rung)) && (HasXQuant || !RungCatalog.NeedsLatents(rung));

    /// <summary>Where the profile of a model is looked for.</summary>
    public static string PathFor(string modelPath) => Path.ChangeExtension(modelPath, null) + FileSuffix;

    /// <summary>Reads a profile, whatever its model.</summary>
    /// <exception cref="KvProfileException">It is damaged or of another version.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static KvProfile Load(string path)
    {
        long length = new FileInfo(path).Length;
        if (length > MostFileBytes)
        {
            throw new KvProfileException($"{path} has {length:N0} bytes; a KV profile has at most {MostFileBytes:N0}.");
        }
        return Parse(File.ReadAllBytes(path));
    }

    /// <summary>Reads the profile of a model.</summary>
    /// <exception cref="KvProfileException">It is damaged, of another version, or of another model.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static KvProfile Load(string path, string modelHash, KvShape shape)
    {
        KvProfile profile = Load(path);
        if (profile.ModelHash != modelHash || profile.Shape != shape)
        {
            throw new KvProfileException(
                $"{path} was made for model {Short(profile.ModelHash)} with {profile.Shape}, not for {Short(modelHash)} with {shape}. " +
                "Calibrate this model: concertina calibrate --model FILE --text FILES.");
        }
        return profile;
    }

    /// <summary>Writes it beside its place and renames, so that no reader sees half of it.</summary>
    public void Save(string path)
    {
        string temporary = path + ".partial";
        File.WriteAllBytes(temporary, ToBytes());
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>The file's bytes; the same profile gives the same bytes.</summary>
    internal byte[] ToBytes()
    {
        var file = new SafeTensorsFile();
        if (Books is not null)
        {
            BookTensors.Write(Books, file);
        }
        if (Residuals is not null)
        {
            BookTensors.Write(Residuals, file);
        }
        foreach ((string arm, CommVqBooks books) in ArmBooks)
        {
            BookTensors.Write(books, file, arm);
        }
        if (Latents is not null)
        {
            LatentTensors.Write(Latents, file);
        }
        file.Metadata["format"] = "concertina.kvprofile";
        file.Metadata["version"] = FormatVersion.ToString(CultureInfo.InvariantCulture);
        file.Metadata["model"] = ModelHash;
        file.Metadata["shape"] = string.Create(
            CultureInfo.InvariantCulture, $"{Shape.LayerCount},{Shape.KvHeadCount},{Shape.GroupSize},{Shape.HeadDim}");
        file.Metadata["calibration"] = JsonSerializer.Serialize(Calibration, ProfileJson.Default.CalibrationFacts);
        file.Metadata["rungs"] = JsonSerializer.Serialize([.. Rungs], ProfileJson.Default.RungMeasureArray);
        file.Metadata["sha256"] = Digest(file);
        return file.ToBytes();
    }

    /// <summary>Reads a file's bytes.</summary>
    /// <exception cref="KvProfileException">It is damaged or of another version.</exception>
    internal static KvProfile Parse(ReadOnlyMemory<byte> bytes)
    {
        var file = SafeTensorsFile.Parse(bytes);
        Require(file, "format", "concertina.kvprofile");
        Require(file, "version", FormatVersion.ToString(CultureInfo.InvariantCulture));
        Require(file, "sha256", Digest(file));
        try
        {
            int[] shape = [.. file.Metadata["shape"].Split(',').Select(text => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture))];
            var kvShape = new KvShape(shape[0], shape[1], shape[2], shape[3]);
            kvShape.Validate();
            return new KvProfile
            {
                ModelHash = file.Metadata["model"],
                ContentDigest = file.Metadata["sha256"],
                Shape = kvShape,
                Calibration = JsonSerializer.Deserialize(file.Metadata["calibration"], ProfileJson.Default.CalibrationFacts)!,
                Rungs = Checked(JsonSerializer.Deserialize(file.Metadata["rungs"], ProfileJson.Default.RungMeasureArray)!),
                Books = BookTensors.Read(file, kvShape.HeadCount, kvShape.HeadDim),
                Residuals = BookTensors.ReadResiduals(file, kvShape.HeadCount),
                ArmBooks = Arms(file, kvShape),
                Latents = LatentTensors.Read(file, kvShape),
            };
        }
        catch (Exception problem) when (problem is JsonException or FormatException or OverflowException or KeyNotFoundException
            or IndexOutOfRangeException or ArgumentException)
        {
            throw new KvProfileException($"The KV profile cannot be read: {problem.Message} Calibrate the model anew.", problem);
        }
    }

    private static Dictionary<string, CommVqBooks> Arms(SafeTensorsFile file, KvShape shape)
    {
        Dictionary<string, CommVqBooks> arms = [];
        foreach (CommVqArm arm in CommVqArm.All)
        {
            if (BookTensors.Read(file, shape.HeadCount, shape.HeadDim, arm.Name) is not { } books)
            {
                continue;
            }
            arms[arm.Name] = books.Keys[0].IsTied == arm.Tied
                ? books
                : throw new KvProfileException($"The KV profile's codebooks of '{arm.Name}' are {(arm.Tied ? "untied" : "tied")}. Calibrate the model anew.");
        }
        return arms;
    }

    private static RungMeasure[] Checked(RungMeasure[] rungs)
    {
        foreach (RungMeasure rung in rungs)
        {
            double[] numbers = [rung.BytesPerToken2K, rung.BytesPerToken8K, rung.MeanKl, rung.P99Kl, rung.Recall ?? 0, rung.AttendNs, rung.EncodeNs];
            if (!Array.TrueForAll(numbers, number => double.IsFinite(number) && number >= 0))
            {
                throw new KvProfileException($"The KV profile's rung '{rung.Name}' has a measure that is negative or no number. Calibrate the model anew.");
            }
        }
        return rungs;
    }

    private static void Require(SafeTensorsFile file, string key, string value)
    {
        string found = file.Metadata.GetValueOrDefault(key, "nothing");
        if (found != value)
        {
            throw new KvProfileException(
                $"The KV profile says {key} '{Short(found)}'; '{Short(value)}' is needed. It is damaged or of another version: calibrate the model anew.");
        }
    }

    // Over everything but itself: metadata, names, types, shapes, contents.
    private static string Digest(SafeTensorsFile file)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string key, string value) in file.Metadata.Where(entry => entry.Key != "sha256"))
        {
            Append(hash, $"{key}\0{value}\0");
        }
        foreach ((string name, SafeTensor tensor) in file.Tensors)
        {
            Append(hash, $"{name}\0{tensor.Type}\0{string.Join(',', tensor.Shape)}\0");
            hash.AppendData(tensor.Bytes.Span);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, string text) => hash.AppendData(System.Text.Encoding.UTF8.GetBytes(text));

    private static string Short(string text) => text.Length <= 24 ? text : string.Concat(text.AsSpan(0, 16), "…");
}
