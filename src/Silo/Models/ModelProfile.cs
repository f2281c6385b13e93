using Concertina.Compute.Model;
using Concertina.Compute.Profile;
using Microsoft.Extensions.Logging;

namespace Concertina.Silo.Models;

/// <summary>Finds the KV profile of a model.</summary>
internal static class ModelProfile
{
    private const string Off = "off";

    /// <summary>
    /// The profile that the options name, which must be right; or the one beside the model, where a wrong one is passed over
    /// aloud, so that the rungs that need no profile remain.
    /// </summary>
    /// <param name="modelPath">The model's file.</param>
    /// <param name="option">KvCache:Profile.</param>
    /// <param name="file">The model.</param>
    /// <param name="logger">Log.</param>
    /// <exception cref="ArgumentException">The named profile is missing, damaged, or another model's.</exception>
    public static KvProfile? Find(string modelPath, string option, ModelFile file, ILogger logger)
    {
        if (option == Off)
        {
            return null;
        }
        string path = option.Length > 0 ? option : KvProfile.PathFor(modelPath);
        if (option.Length == 0 && !File.Exists(path))
        {
            SiloLog.NoProfile(logger, path);
            return null;
        }
        try
        {
            KvProfile profile = KvProfile.Load(path, file.ContentHash, file.Config.ToKvShape());
            int rungs = profile.Rungs.Count(rung => rung.OnLadder);
            SiloLog.ProfileLoaded(logger, path, rungs, profile.Calibration.TrainingTokens);
            return profile;
        }
        catch (Exception problem) when (problem is KvProfileException or IOException or UnauthorizedAccessException)
        {
            if (option.Length > 0)
            {
                throw new ArgumentException($"KvCache:Profile: {problem.Message}", problem);
            }
            SiloLog.ProfileRefused(logger, path, problem.Message);
            return null;
        }
    }
}
