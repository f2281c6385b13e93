using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Model.Gguf;

/// <summary>Reads the shape of a <c>llama</c> model out of GGUF metadata and refuses what the engine would compute wrongly.</summary>
internal sealed class LlamaConfigReader(GgufFile file)
{
    private const string Architecture = "llama";
    private const int MaxLayers = 4096;
    private const int MaxWidth = 1 << 20;
    private const int MaxHeads = 4096;
    private const int MaxHeadDim = 256;
    private const int HeadDimStep = 16;
    private const int MaxContext = 1 << 24;

    private readonly GgufMetadata _metadata = file.Metadata;

    public ModelConfig Read()
    {
        RequireArchitecture();
        int embedding = _metadata.Integer("llama.embedding_length", 1, MaxWidth);
        int heads = _metadata.Integer("llama.attention.head_count", 1, MaxHeads);
        int kvHeads = _metadata.Integer("llama.attention.head_count_kv", 1, MaxHeads, heads);
        if (heads % kvHeads != 0)
        {
            throw Error($"has {heads} query heads and {kvHeads} KV heads; the first must be a multiple of the second.");
        }
        int headDim = ReadHeadDim(embedding, heads);
        int ropeDim = _metadata.Integer("llama.rope.dimension_count", 2, headDim, headDim);
        if (ropeDim % 2 != 0)
        {
            throw Error($"key 'llama.rope.dimension_count' is {ropeDim}; an even number is expected.");
        }
        ModelConfig config = new()
        {
            Architecture = Architecture,
            Name = _metadata.FindString("general.name") ?? Path.GetFileNameWithoutExtension(file.File.Path),
            LayerCount = _metadata.Integer("llama.block_count", 1, MaxLayers),
            EmbeddingLength = embedding,
            FeedForwardLength = _metadata.Integer("llama.feed_forward_length", 1, MaxWidth),
            QueryHeadCount = heads,
            KvHeadCount = kvHeads,
            HeadDim = headDim,
            RopeDim = ropeDim,
            RopeBase = _metadata.Positive("llama.rope.freq_base", 10_000f),
            RopeLinearFactor = ReadRopeScaling(),
            RmsEpsilon = _metadata.Positive("llama.attention.layer_norm_rms_epsilon"),
            VocabularySize = ReadVocabularySize(),
            ContextLength = _metadata.Integer("llama.context_length", 1, MaxContext),
            TiedHead = !file.Tensors.ContainsKey(LlamaTensors.Head),
        };
        return config with { KvMethod = new KvMethodReader(file).Read(config) };
    }

    private void RequireArchitecture()
    {
        string architecture = _metadata.FindString("general.architecture") ?? throw Error("key 'general.architecture' is missing.");
        if (architecture != Architecture)
        {
            throw Error($"has architecture '{architecture}'; supported is '{Architecture}'.");
        }
        if (_metadata.Contains("llama.expert_count") && _metadata.Integer("llama.expert_count", 0, int.MaxValue) != 0)
        {
            throw Error("is a mixture of experts (key 'llama.expert_count'), which is not supported.");
        }
    }

    private int ReadHeadDim(int embedding, int heads)
    {
        int headDim = _metadata.Integer("llama.attention.key_length", 1, MaxWidth, embedding / heads);
        int valueDim = _metadata.Integer("llama.attention.value_length", 1, MaxWidth, embedding / heads);
        if (headDim != valueDim)
        {
            throw Error($"has key length {headDim} and value length {valueDim}; they must be equal.");
        }
        return headDim is > 0 and <= MaxHeadDim && headDim % HeadDimStep == 0
            ? headDim
            : throw Error($"has heads of {headDim} channels; a multiple of {HeadDimStep}, at most {MaxHeadDim}, is supported.");
    }

    private float ReadRopeScaling()
    {
        const string factorKey = "llama.rope.scaling.factor";
        const string oldFactorKey = "llama.rope.scale_linear";
        string? scaling = _metadata.FindString("llama.rope.scaling.type");
        string key = !_metadata.Contains(factorKey) && _metadata.Contains(oldFactorKey) ? oldFactorKey : factorKey;
        return scaling switch
        {
            // Files that predate the type say the factor alone, and mean linear.
            null => _metadata.Positive(key, 1f),
            "none" => _metadata.Positive(key, 1f) == 1f
                ? 1f
                : throw Error($"has RoPE scaling 'none', but key '{key}' says factor {_metadata.Positive(key)}; without scaling it must be 1 or missing."),
            "linear" => _metadata.Positive(key),
            _ => throw Error($"has RoPE scaling '{scaling}'; supported are 'none', 'linear' and a '{LlamaTensors.RopeFrequencies}' tensor."),
        };
    }

    private int ReadVocabularySize()
    {
        if (!file.Tensors.TryGetValue(LlamaTensors.Embedding, out GgufTensor embedding))
        {
            throw Error($"tensor '{LlamaTensors.Embedding}' is missing.");
        }
        long? declared = _metadata.FindInteger("llama.vocab_size");
        if (declared is { } size && size != embedding.Rows)
        {
            throw Error($"key 'llama.vocab_size' is {size}, but '{LlamaTensors.Embedding}' has {embedding.Rows} rows.");
        }
        return embedding.Rows <= int.MaxValue
            ? (int)embedding.Rows
            : throw Error($"'{LlamaTensors.Embedding}' has {embedding.Rows} rows; at most {int.MaxValue} are supported.");
    }

    private ModelFileException Error(string problem) => new(file.File.Path, problem);
}
