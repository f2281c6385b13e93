using System.Buffers.Binary;

namespace Concertina.Compute.Model.Gguf;

/// <summary>
/// Reads the <c>kvc.*</c> keys of a retrofitted model and refuses what the engine would run wrongly: the neuron of such a
/// model is no feature any more, so a file whose keys cannot be followed must not run as an ordinary one.
/// </summary>
internal sealed class KvMethodReader(GgufFile file)
{
    private const string MethodKey = "kvc.method";
    private const string NeuronKey = "kvc.neuron";
    private const string MeasuredKey = "kvc.measured_cr";
    private const string BaseHashKey = "kvc.base_sha256";
    private const int HashLength = 64;
    private const int MaxWindow = 1 << 24;
    private const int DmsShift = 1;

    private static readonly string[] Keys =
    [
        NeuronKey, "kvc.offset", "kvc.scale", "kvc.window", "kvc.shift", "kvc.sinks", "kvc.target_cr", MeasuredKey, "kvc.granularity",
        BaseHashKey, "kvc.rope_layout",
    ];

    private readonly GgufMetadata _metadata = file.Metadata;

    /// <summary>The method of a file, or null for an ordinary model.</summary>
    /// <param name="config">Shape of the model, for the ranges.</param>
    /// <exception cref="ModelFileException">A key is missing, out of range, or asks for what the engine does not do.</exception>
    public KvMethod? Read(ModelConfig config)
    {
        string? method = _metadata.FindString(MethodKey);
        if (method is null)
        {
            string? stray = Array.Find(Keys, _metadata.Contains);
            return stray is null ? null : throw Error($"key '{stray}' is there, but '{MethodKey}' is missing; a retrofitted model needs both.");
        }
        RequireDms(method);
        Require("kvc.granularity", "head", "decisions of every KV head by itself");
        Require("kvc.rope_layout", "interleaved", "the channel order of GGUF");
        return new KvMethod
        {
            Name = method,
            Neuron = ReadNeuron(config.HeadDim),
            Offset = _metadata.Positive("kvc.offset"),
            Scale = _metadata.Positive("kvc.scale"),
            Window = _metadata.Integer("kvc.window", 1, MaxWindow),
            Shift = _metadata.Integer("kvc.shift", DmsShift, DmsShift),
            Sinks = _metadata.Integer("kvc.sinks", 0, MaxWindow, fallback: 0),
            TargetRatio = ReadTargetRatio(),
            MeasuredRatios = ReadMeasuredRatios(config),
            BaseHash = ReadBaseHash(),
        };
    }

    private void RequireDms(string method)
    {
        switch (method)
        {
            case KvMethod.Dms:
                return;
            case "dmc" or "dmc-c":
                throw Error($"is retrofitted with '{method}' (merging of tokens), which is not supported yet; supported is '{KvMethod.Dms}'.");
            default:
                throw Error($"key '{MethodKey}' is '{method}'; supported is '{KvMethod.Dms}'.");
        }
    }

    private void Require(string key, string expected, string meaning)
    {
        string value = _metadata.FindString(key) ?? throw Error($"key '{key}' is missing.");
        if (value != expected)
        {
            throw Error($"key '{key}' is '{value}'; supported is '{expected}' ({meaning}).");
        }
    }

    private int ReadNeuron(int headDim)
    {
        if (!_metadata.IsString(NeuronKey))
        {
            return _metadata.Integer(NeuronKey, 0, headDim - 1);
        }
        return _metadata.FindString(NeuronKey) switch
        {
            "first" => 0,
            "last" => headDim - 1,
            string other => throw Error($"key '{NeuronKey}' is '{other}'; expected 'first', 'last' or 0 to {headDim - 1}."),
            null => throw Error($"key '{NeuronKey}' is missing."),
        };
    }

    private float ReadTargetRatio()
    {
        float target = _metadata.Positive("kvc.target_cr");
        return target >= 1 ? target : throw Error($"key 'kvc.target_cr' is {target}; a ratio of at least 1 is expected.");
    }

    private float[] ReadMeasuredRatios(ModelConfig config)
    {
        GgufValue array = _metadata.FindArray(MeasuredKey, GgufValueType.Float32) ?? throw Error($"key '{MeasuredKey}' is missing.");
        long heads = (long)config.LayerCount * config.KvHeadCount;
        if (array.Count != heads)
        {
            throw Error($"key '{MeasuredKey}' has {array.Count} entries; expected {heads}, {config.LayerCount} layers of {config.KvHeadCount} KV heads.");
        }
        float[] ratios = new float[heads];
        ReadOnlySpan<byte> bytes = file.File.Span(array.Offset, (int)heads * sizeof(float));
        for (int i = 0; i < ratios.Length; i++)
        {
            ratios[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * sizeof(float))..]);
            if (!float.IsFinite(ratios[i]) || ratios[i] < 1)
            {
                throw Error(
                    $"entry {i} of key '{MeasuredKey}' (layer {i / config.KvHeadCount}, KV head {i % config.KvHeadCount}) is {ratios[i]}; " +
                    "a finite ratio of at least 1 is expected.");
            }
        }
        return ratios;
    }

    private string ReadBaseHash()
    {
        string hash = _metadata.FindString(BaseHashKey) ?? throw Error($"key '{BaseHashKey}' is missing.");
        return hash.Length == HashLength && hash.All(char.IsAsciiHexDigitLower)
            ? hash
            : throw Error($"key '{BaseHashKey}' is '{hash}'; {HashLength} lower-case hexadecimal digits are expected.");
    }

    private ModelFileException Error(string problem) => new(file.File.Path, problem);
}
